import { afterEach, beforeEach, expect, test, vi } from "vitest";
import detailsPanel from "../src/details";
import { formatMoment } from "../src/format";
import { HOSTILE, mount } from "./model";
import { details, NOW } from "./states";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

const open = (change: Parameters<typeof details>[0] = {}) => mount(detailsPanel, { state: details(change) });

function clipboard(writeText: (text: string) => Promise<void>): void {
  vi.stubGlobal("navigator", { clipboard: { writeText } });
}

test("facts, tags, properties and files are listed, and left-out files counted", () => {
  const { texts, find } = open();
  expect(texts("dt")).toEqual(["Run id", "Experiment", "Started"]);
  expect(texts(".rw-tag")).toEqual(["model = mlp", "baseline"]);
  expect(texts(".rw-properties th, .rw-properties td")).toEqual(["commit", "9fceb02"]);
  expect(texts(".rw-file")).toEqual(["outputs/model.pkl1.2 MB"]);
  expect(find(".rw-details .rw-more").textContent).toBe("+39 more");
});

test("a run that has ended tells when it began and ended, and how long it took", () => {
  const { texts, model } = open({ started_at: NOW, ended_at: NOW + 3725 });
  expect(texts("dt").slice(2)).toEqual(["Started", "Ended", "Duration"]);
  expect(texts(".rw-fact-value").slice(2)).toEqual([formatMoment(NOW), formatMoment(NOW + 3725), "01:02:05"]);
  model.set("state", details({ started_at: null }));
  expect(texts("dt")).toEqual(["Run id", "Experiment"]);
});

test("a section with nothing in it is not shown", () => {
  const { all } = open({ tags: [], properties: [], files: [], files_total: 0 });
  expect(all("section").map((section) => section.hidden)).toEqual([true, true, true]);
});

test("the run id can be copied, and the button says so for a while", async () => {
  const write = vi.fn(async () => {});
  clipboard(write);
  const { all } = open();
  expect(all(".rw-copy")).toHaveLength(1);
  const copy = all(".rw-copy")[0];
  copy?.click();
  await vi.advanceTimersByTimeAsync(0);
  expect(write).toHaveBeenCalledWith("digits_1");
  expect(copy?.textContent).toBe("Copied");
  await vi.advanceTimersByTimeAsync(2000);
  expect(copy?.textContent).toBe("Copy");
});

test("a refused clipboard is told and raises nothing", async () => {
  clipboard(() => Promise.reject(new Error("denied")));
  const { find } = open();
  find(".rw-copy").click();
  await vi.advanceTimersByTimeAsync(0);
  expect(find(".rw-copy").textContent).toBe("Not copied: select the text");
});

test("elements of unchanged facts stay, so that a selection in them survives", () => {
  const { find, model } = open();
  const id = find(".rw-fact-value").firstChild;
  model.set("state", details({ tags: [] }));
  expect(find(".rw-fact-value").firstChild).toBe(id);
});

test("text that looks like markup is shown as text", () => {
  const { host } = open({
    facts: [{ label: HOSTILE, value: HOSTILE }],
    tags: [{ key: HOSTILE, value: HOSTILE }],
    properties: [{ key: HOSTILE, value: HOSTILE }],
    files: [{ path: HOSTILE, size: 1 }],
  });
  expect(host.querySelectorAll("img, b").length).toBe(0);
});

test("after clean-up no listener, timer or element is left, even when the clipboard answers late", async () => {
  let answer = () => {};
  clipboard(() => new Promise((resolve) => (answer = resolve)));
  const { host, find, model, end } = open();
  find(".rw-copy").click();
  end();
  answer();
  await vi.advanceTimersByTimeAsync(0);
  expect([vi.getTimerCount(), model.listenerCount, host.childNodes.length]).toEqual([0, 0, 0]);
});
