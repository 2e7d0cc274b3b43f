import { afterEach, beforeEach, expect, test, vi } from "vitest";
import imagesPanel, { spread } from "../src/images";
import type { GalleryState, PictureReply } from "../src/wire";
import { button, HOSTILE, mount, press } from "./model";
import { gallery, picture } from "./states";

let made: Blob[];
let revoked: string[];
let see: (isSeen: boolean, only?: Element) => void;

beforeEach(() => {
  vi.useFakeTimers();
  made = [];
  revoked = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${made.push(blob as Blob)}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void revoked.push(url));
  const watched = new Set<Element>();
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(callback: (entries: { target: Element; isIntersecting: boolean }[]) => void) {
        see = (isIntersecting, only) =>
          callback(
            [...watched].filter((one) => !only || one === only).map((target) => ({ target, isIntersecting })),
          );
      }
      observe = (node: Element) => watched.add(node);
      unobserve = (node: Element) => watched.delete(node);
      disconnect = () => watched.clear();
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

const BYTES = [new DataView(Uint8Array.of(1, 2, 3, 4).buffer)];

function open(counts: Record<string, number>, change: Partial<GalleryState> = {}) {
  const panel = mount(imagesPanel, { state: gallery(counts, change) });
  const asked = () => panel.model.send.mock.calls.map(([message]) => message);
  const answer = (change: Partial<PictureReply> = {}, of = asked().at(-1)) => {
    panel.model.receive({ ...picture(change), id: of.id }, BYTES);
    // A page loads what is at an address; this one does not.
    for (const image of panel.all("img"))
      if (image.getAttribute("src")) image.dispatchEvent(new Event("load"));
  };
  const sources = () => panel.all(".rw-card > .rw-image-frame img").map((image) => image.getAttribute("src"));
  const slide = (input: HTMLInputElement, to: number) => {
    input.value = String(to);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return { ...panel, asked, answer, sources, slide };
}

test("nothing is asked for before it is seen, and then the latest of each name", () => {
  const { asked, texts } = open({ confusion: 3, curve: 1 });
  expect(texts(".rw-image-name")).toEqual(["confusion", "curve"]);
  expect(asked()).toEqual([]);
  see(true);
  expect(asked()).toMatchObject([
    { kind: "picture", name: "confusion", index: 2 },
    { kind: "picture", name: "curve", index: 0 },
  ]);
});

test("bytes become a blob of exactly the given type", async () => {
  const { answer, sources } = open({ a: 1 });
  see(true);
  answer({ mime: "image/webp" });
  expect(sources()).toEqual(["blob:1"]);
  expect(made[0]?.type).toBe("image/webp");
  expect(new Uint8Array((await made[0]?.arrayBuffer()) as ArrayBuffer)).toEqual(Uint8Array.of(1, 2, 3, 4));
});

test.each(["image/svg+xml", "text/html", "image/png;base64", ""])(
  "a file of type “%s” is never shown",
  (mime) => {
    const { answer, find } = open({ a: 1 });
    see(true);
    answer({ mime });
    expect(made).toEqual([]);
    expect(find(".rw-image-note").textContent).toContain("not shown");
  },
);

test("a note, or trouble, stands in the place of the picture", () => {
  const { answer, find } = open({ a: 1 });
  see(true);
  answer({ note: "too large" });
  expect(find(".rw-image-note").textContent).toBe("too large");
  expect(made).toEqual([]);
});

test("the slider goes from step to step, follows the latest until it is moved, and again from its end on", () => {
  const { model, find, slide, asked, answer } = open({ a: 3 });
  see(true);
  answer();
  const slider = find<HTMLInputElement>(".rw-steps");
  expect([slider.value, slider.max]).toEqual(["2", "2"]);
  model.set("state", gallery({ a: 4 }));
  answer();
  expect(slider.value).toBe("3");
  expect(find(".rw-step").textContent).toBe("#4 of 4");
  slide(slider, 1);
  answer();
  model.set("state", gallery({ a: 6 }));
  expect([slider.value, slider.max, find(".rw-step").textContent]).toEqual(["1", "5", "#2 of 6"]);
  slide(slider, 5);
  answer();
  model.set("state", gallery({ a: 7 }));
  expect(slider.value).toBe("6");
  expect(asked().map(({ index }) => index)).toEqual([2, 3, 1, 5, 6]);
});

test("a slider that is drawn over many steps asks for one at a time, and at the end for the last", () => {
  const { find, slide, asked, answer, sources } = open({ a: 100 });
  see(true);
  for (let index = 99; index >= 40; index -= 1) slide(find<HTMLInputElement>(".rw-steps"), index);
  expect(asked().map(({ index }) => index)).toEqual([99]);
  answer();
  expect(asked().map(({ index }) => index)).toEqual([99, 40]);
  answer();
  expect([asked().length, sources()]).toEqual([2, ["blob:2"]]);
  // An answer that never comes is not waited for for ever.
  slide(find<HTMLInputElement>(".rw-steps"), 3);
  vi.setSystemTime(Date.now() + 16_000);
  slide(find<HTMLInputElement>(".rw-steps"), 4);
  expect(
    asked()
      .slice(2)
      .map(({ index }) => index),
  ).toEqual([3, 4]);
});

test("a picture that was seen before is not asked for again", () => {
  const { find, slide, asked, answer, sources } = open({ a: 3 });
  see(true);
  answer();
  const slider = find<HTMLInputElement>(".rw-steps");
  slide(slider, 0);
  answer();
  slide(slider, 2);
  expect(asked()).toHaveLength(2);
  expect(sources()).toEqual(["blob:1"]);
});

test("the picture before stays until the next has come", () => {
  const { find, slide, answer, sources } = open({ a: 3 });
  see(true);
  answer();
  slide(find<HTMLInputElement>(".rw-steps"), 0);
  vi.advanceTimersByTime(350);
  expect(sources()).toEqual(["blob:1"]);
  expect(find(".rw-image").hidden).toBe(false);
});

test("it says that it waits for Python when a picture takes longer", () => {
  const { find } = open({ a: 1 });
  see(true);
  expect(find(".rw-image-note").textContent).toBe("Loading…");
  vi.advanceTimersByTime(350);
  expect(find(".rw-image-note").textContent).toBe("Waiting for Python…");
});

test("a picture that may be there at another time is asked for again while it is seen, and no other", () => {
  const { answer, asked, find } = open({ a: 1, b: 1 });
  see(true);
  answer({ note: "cut off", may_pass: true }, asked()[0]);
  answer({ note: "too large" }, asked()[1]);
  vi.advanceTimersByTime(5000);
  expect(asked().slice(2)).toMatchObject([{ name: "a", index: 0 }]);
  answer();
  expect(find(".rw-image").hidden).toBe(false);
  vi.advanceTimersByTime(20_000);
  expect(asked()).toHaveLength(3);
});

test("steps stand side by side, from the first to the last", () => {
  const { find, all, asked, texts } = open({ a: 100 });
  see(true);
  find(".rw-toggle[aria-label^='Steps of a']").click();
  expect(spread(100)).toEqual([0, 14, 28, 42, 57, 71, 85, 99]);
  expect(texts(".rw-beside figcaption")).toEqual(["#1", "#15", "#29", "#43", "#58", "#72", "#86", "#100"]);
  expect(
    asked()
      .slice(1)
      .map(({ index }) => index),
  ).toEqual(spread(100));
  expect(all(".rw-beside .rw-image-frame")).toHaveLength(8);
  expect([spread(1), spread(2)]).toEqual([[0], [0, 1]]);
});

test("sliders move together when they are told to", () => {
  const { find, all, slide } = open({ a: 9, b: 4, c: 1 });
  find(".rw-toolbar .rw-toggle").click();
  const [a, b] = all<HTMLInputElement>(".rw-steps");
  slide(a as HTMLInputElement, 2);
  expect(b?.value).toBe("2");
  slide(a as HTMLInputElement, 7);
  expect(b?.value).toBe("3");
});

test("a click opens the picture at full size; arrows walk steps and names, and Close closes", () => {
  const { find, all, answer, asked } = open({ a: 3, b: 2 });
  see(true);
  answer({}, asked()[0]);
  const viewer = find<HTMLDialogElement>("dialog");
  find(".rw-image-frame").click();
  expect(viewer.open).toBe(true);
  expect(find(".rw-viewer-image").getAttribute("src")).toBe("blob:1");
  expect(find(".rw-viewer-number").textContent).toBe("#3 of 3");
  press(viewer, "ArrowLeft");
  expect(asked().at(-1)).toMatchObject({ name: "a", index: 1 });
  answer({ note: "too large" });
  expect(find(".rw-viewer-note").textContent).toBe("too large");
  press(viewer, "ArrowDown");
  expect([find(".rw-viewer-name").textContent, find(".rw-viewer-number").textContent]).toEqual([
    "b",
    "#2 of 2",
  ]);
  press(viewer, "ArrowRight");
  press(viewer, "ArrowUp");
  press(viewer, "Home");
  expect(find(".rw-viewer-number").textContent).toBe("#1 of 3");
  expect(viewer.classList.contains("rw-fit")).toBe(true);
  button(all("dialog button"), "Show at its own size").click();
  expect(viewer.classList.contains("rw-fit")).toBe(false);
  button(all("dialog button"), "Close").click();
  expect(viewer.open).toBe(false);
});

test("the opened picture can be downloaded by its path", () => {
  const { find, answer, asked } = open({ a: 1 });
  see(true);
  answer({ path: "a_17.png" });
  find(".rw-image-frame").click();
  find(".rw-download").click();
  expect(asked().at(-1)).toMatchObject({ kind: "download", what: "image", name: "a_17.png", start: 0 });
});

test("pictures are given up when there are too many, the oldest first", () => {
  const { find, slide, answer } = open({ a: 5 });
  see(true);
  answer({ size: 30e6 });
  for (const index of [0, 1]) {
    slide(find<HTMLInputElement>(".rw-steps"), index);
    answer({ size: 30e6 });
  }
  expect(revoked).toEqual(["blob:1"]);
});

test("a picture that cannot be read is replaced by words", () => {
  const { find, answer } = open({ a: 1 });
  see(true);
  answer();
  find(".rw-image").dispatchEvent(new Event("error"));
  expect(find(".rw-image-note").textContent).toBe("The image cannot be read.");
});

test("many names can be filtered, and those that are left out are counted", () => {
  const names = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`name ${at}`, 1]));
  const { find, texts } = open(names, { total_names: 700 });
  const filter = find<HTMLInputElement>(".rw-filter");
  filter.value = "ME 11";
  filter.dispatchEvent(new Event("input"));
  expect(texts(".rw-image-name")).toEqual(["name 11"]);
  expect(find(".rw-images > .rw-more").textContent).toBe("showing 12 of 700 names");
});

test("names that look like markup are shown as text", () => {
  const { find, host, answer } = open({ [HOSTILE]: 1 });
  see(true);
  answer({ note: HOSTILE, path: HOSTILE });
  expect(find(".rw-image-name").textContent).toBe(HOSTILE);
  expect(host.querySelectorAll("[onerror], b").length).toBe(0);
});

test("no images is told", () => {
  expect(open({}).find(".rw-yet").textContent).toContain("No images yet.");
});

test("after clean-up every URL is revoked and no listener, timer or element is left", () => {
  const { host, model, end, answer, find } = open({ a: 2 });
  see(true);
  answer();
  find(".rw-image-frame").click();
  end();
  expect(revoked).toEqual(["blob:1"]);
  expect([vi.getTimerCount(), model.listenerCount, host.childNodes.length]).toEqual([0, 0, 0]);
});
