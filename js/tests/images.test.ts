import { afterEach, beforeEach, expect, test, vi } from "vitest";
import imagesPanel from "../src/images";
import type { ImageItem } from "../src/wire";
import { HOSTILE, mount } from "./model";
import { image } from "./states";

const bytes = (...values: number[]): DataView => new DataView(Uint8Array.from(values).buffer);

let made: Blob[];
let revoked: string[];

beforeEach(() => {
  made = [];
  revoked = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${made.push(blob as Blob)}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void revoked.push(url));
});

afterEach(() => document.body.replaceChildren());

const open = (images: ImageItem[], data: Record<string, DataView>) =>
  mount(imagesPanel, { state: { images, total: images.length }, data });

test("bytes become a blob of exactly the given type", async () => {
  const { find } = open([image("a.png", { mime: "image/webp" })], { "a.png": bytes(1, 2) });
  expect(find<HTMLImageElement>(".rw-image").getAttribute("src")).toBe("blob:1");
  expect(made[0]?.type).toBe("image/webp");
  expect(new Uint8Array((await made[0]?.arrayBuffer()) as ArrayBuffer)).toEqual(Uint8Array.of(1, 2));
});

test.each(["image/svg+xml", "text/html", "image/png;base64", ""])(
  "a file of type “%s” is never shown",
  (mime) => {
    const { find } = open([image("a", { mime })], { a: bytes(1) });
    expect(made).toEqual([]);
    expect(find(".rw-image-frame").hidden).toBe(true);
    expect(find(".rw-image-note").textContent).toContain("not shown");
  },
);

test("a note stands in the place of the picture", () => {
  const { find } = open([image("a", { note: "too large" })], { a: bytes(1) });
  expect(find(".rw-image-note").textContent).toBe("too large");
  expect(made).toEqual([]);
});

test("an unchanged picture is not loaded again when state and data arrive anew", () => {
  const { find, model } = open([image("a")], { a: bytes(1, 2) });
  const before = find(".rw-image");
  model.set("data", { a: bytes(1, 2), b: bytes(3) });
  model.set("state", { images: [image("a"), image("b")], total: 2 });
  expect(find(".rw-image")).toBe(before);
  expect(made).toHaveLength(2);
  expect(revoked).toEqual([]);
});

test("the URL of a replaced or removed picture is revoked", () => {
  const { model, all } = open([image("a"), image("b")], { a: bytes(1), b: bytes(2) });
  model.set("data", { a: bytes(9), b: bytes(2) });
  expect(revoked).toEqual(["blob:1"]);
  expect(all(".rw-image").map((node) => node.getAttribute("src"))).toEqual(["blob:3", "blob:2"]);
  model.set("state", { images: [image("a")], total: 1 });
  expect(revoked).toEqual(["blob:1", "blob:2"]);
});

test("a picture that cannot be read is replaced by words, until its bytes change", () => {
  const { find, model } = open([image("a")], { a: bytes(1) });
  find(".rw-image").dispatchEvent(new Event("error"));
  expect(find(".rw-image-note").textContent).toBe("The image cannot be read.");
  model.set("data", { a: bytes(2) });
  expect(find(".rw-image-note").hidden).toBe(true);
});

test("a click opens the picture at full size and Close closes it", () => {
  const { find } = open([image("a", { name: "confusion matrix" })], { a: bytes(1) });
  const viewer = find<HTMLDialogElement>("dialog");
  find(".rw-image-frame").click();
  expect(viewer.open).toBe(true);
  expect(find(".rw-viewer-image").getAttribute("src")).toBe("blob:1");
  find("dialog button").click();
  expect(viewer.open).toBe(false);
});

test("names that look like markup are shown as text", () => {
  const { find, host } = open([image("a", { name: HOSTILE, note: HOSTILE })], {});
  expect(find(".rw-image-name").textContent).toBe(HOSTILE);
  expect(host.querySelectorAll("[onerror], b").length).toBe(0);
});

test("no images is told", () => {
  expect(open([], {}).find(".rw-yet").textContent).toBe("No images yet.");
});

test("after clean-up every URL is revoked and no listener or element is left", () => {
  const { host, model, end } = open([image("a"), image("b")], { a: bytes(1), b: bytes(2) });
  end();
  expect(revoked).toEqual(["blob:1", "blob:2"]);
  expect([model.listenerCount, host.childNodes.length]).toEqual([0, 0]);
});
