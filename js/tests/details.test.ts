import { afterEach, beforeEach, expect, test, vi } from "vitest";
import detailsPanel from "../src/details";
import { formatMoment } from "../src/format";
import { button, HOSTILE, mount, press } from "./model";
import { details, NOW, preview } from "./states";

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

/** Details of a run that has all there can be. */
const FULL: Parameters<typeof details>[0] = {
  description: "what it is",
  error: { code: "ValueError", message: "bad", traceback: "Traceback …" },
  git: [{ label: "Commit", value: "9fceb02" }],
  is_dirty: true,
  diff: { path: "environment/uncommitted.diff", size: 812 },
  python: [{ label: "Python", value: "3.11" }],
  packages: { path: "environment/packages.txt", size: 99 },
  submission: {
    facts: [{ label: "Command", value: "python train.py" }],
    variables: [
      { key: "MODE", value: "fast" },
      { key: "HF_TOKEN", value: null },
    ],
    packages: ["numpy==2.3"],
  },
  snapshot: "ab".repeat(32),
};

const asked = (model: ReturnType<typeof open>["model"]) => model.send.mock.calls.map(([message]) => message);

function shownSections(all: (selector: string) => HTMLElement[]): string[] {
  return all("section")
    .filter((section) => !section.hidden)
    .map((section) => section.querySelector("h4")?.firstChild?.textContent ?? "");
}

test("facts, tags and properties are listed", () => {
  const { texts, all } = open();
  expect(texts("dt")).toEqual(["Run id", "Experiment", "Started"]);
  expect(texts(".rw-tag")).toEqual(["model = mlp", "baseline"]);
  expect(texts(".rw-properties th, .rw-properties td")).toEqual(["commit", "9fceb02"]);
  expect(shownSections(all)).toEqual(["Tags", "Timeline", "Properties"]);
});

test("all that is known has a section, and secrets are said to be hidden", () => {
  const { texts, all, find } = open(FULL);
  expect(shownSections(all)).toEqual([
    "Error",
    "Tags",
    "Submitted",
    "Timeline",
    "Git",
    "Environment",
    "Environment variables",
    "Snapshot",
    "Properties",
  ]);
  expect(find(".rw-kept-traceback").textContent).toBe("Traceback …");
  expect(texts(".rw-properties tr:nth-child(-n+2) td").slice(0, 2)).toEqual([
    "fast",
    "hidden: its name says that it may be a secret",
  ]);
  expect(find(".rw-description").textContent).toBe("what it is");
});

test("the timeline says how long each state took, the present one until now, and nothing of the end", () => {
  vi.useFakeTimers({ now: NOW * 1000 });
  const { texts, all, model } = open();
  expect(texts(".rw-timeline .rw-status-word")).toEqual(["Queued", "Running"]);
  const spans = () => texts(".rw-timeline td:nth-child(3)");
  expect(spans()).toEqual(["00:00:39", "00:02:41"]);
  vi.advanceTimersByTime(2000);
  expect(spans()).toEqual(["00:00:39", "00:02:43"]);
  const first = all(".rw-timeline tr")[0];
  const more = [
    ...details().timeline,
    { status: "Failed", status_group: "failed" as const, at: NOW - 160.5 },
  ];
  model.set("state", details({ timeline: more }));
  expect(spans()).toEqual(["00:00:39", "0.5 s", ""]);
  expect(all(".rw-timeline tr")[0]).toBe(first);
  vi.advanceTimersByTime(2000);
  expect(spans()).toEqual(["00:00:39", "0.5 s", ""]);
  vi.useRealTimers();
});

test("a diff is read when it is opened, once, and its lines say what they are", () => {
  const { model, all, texts } = open(FULL);
  const fold = all<HTMLDetailsElement>(".rw-kept").find((one) => one.textContent?.includes("Changes"));
  if (!fold) throw new Error("no diff");
  expect(asked(model)).toEqual([]);
  fold.open = true;
  fold.dispatchEvent(new Event("toggle"));
  expect(asked(model)).toMatchObject([{ kind: "preview", path: "environment/uncommitted.diff" }]);
  const reply = preview({ shown: "diff", id: asked(model)[0].id });
  model.receive(reply, [new DataView(new TextEncoder().encode("-<b>old</b>\n+new\n").buffer)]);
  expect(texts(".rw-diff-old, .rw-diff-new")).toEqual(["-<b>old</b>\n", "+new\n"]);
  model.set("state", details({ ...FULL, tags: [] }));
  expect(asked(model)).toHaveLength(1);
});

test("the snapshot is downloaded as a zip file", () => {
  const { model, all } = open(FULL);
  button(all("button"), "Download as zip").click();
  expect(asked(model).at(-1)).toMatchObject({ kind: "download", what: "snapshot", name: "ab".repeat(32) });
});

test("a tag is added: Python is asked, and the form goes when it has said yes", () => {
  const { model, all, find } = open();
  const form = find<HTMLFormElement>(".rw-tag-form");
  expect(form.hidden).toBe(true);
  button(all("button"), "+ Add tag").click();
  expect(form.hidden).toBe(false);
  const [key, value] = all<HTMLInputElement>(".rw-tag-form input") as [HTMLInputElement, HTMLInputElement];
  form.requestSubmit();
  expect(find(".rw-tag-trouble").textContent).toBe("a tag needs a name");
  expect(asked(model)).toEqual([]);
  [key.value, value.value] = ["stage", "prod"];
  form.requestSubmit();
  form.requestSubmit();
  expect(asked(model)).toMatchObject([{ kind: "tag", before: null, key: "stage", value: "prod" }]);
  vi.advanceTimersByTime(350);
  expect(find(".rw-tag-trouble").textContent).toBe("Waiting for Python…");
  model.receive({ kind: "tag", id: asked(model)[0].id, trouble: "there is a tag 'stage' already" });
  expect([form.hidden, find(".rw-tag-trouble").textContent]).toEqual([
    false,
    "there is a tag 'stage' already",
  ]);
  form.requestSubmit();
  model.receive({ kind: "tag", id: asked(model)[1].id, trouble: null });
  expect(form.hidden).toBe(true);
});

test("a tag is changed or taken away where it stands, and Esc leaves it as it is", () => {
  const { model, all, find } = open();
  const form = find<HTMLFormElement>(".rw-tag-form");
  all(".rw-tag")[0]?.click();
  const [key, value] = all<HTMLInputElement>(".rw-tag-form input") as [HTMLInputElement, HTMLInputElement];
  expect([key.value, value.value]).toEqual(["model", "mlp"]);
  value.value = "";
  form.requestSubmit();
  expect(asked(model).at(-1)).toMatchObject({ before: "model", key: "model", value: null });
  model.receive({ kind: "tag", id: asked(model)[0].id, trouble: null });
  all(".rw-tag")[1]?.click();
  button(all("button"), "Remove").click();
  expect(asked(model).at(-1)).toMatchObject({ before: "baseline", key: null, value: null });
  model.receive({ kind: "tag", id: asked(model)[1].id, trouble: null });
  all(".rw-tag")[0]?.click();
  press(key, "Escape");
  expect([form.hidden, asked(model).length]).toEqual([true, 2]);
});

test("what is typed into the form stays when the state comes anew", () => {
  const { model, all, find } = open();
  button(all("button"), "+ Add tag").click();
  const key = find<HTMLInputElement>(".rw-tag-form input");
  key.value = "half wri";
  model.set("state", details({ tags: [{ key: "other", value: "1" }], tags_total: 1 }));
  expect([key.value, find(".rw-tag-form").hidden]).toEqual(["half wri", false]);
});

test("a run that has ended tells when it began and ended, and how long it took", () => {
  const { texts, model } = open({ started_at: NOW, ended_at: NOW + 3725 });
  expect(texts("dt").slice(2)).toEqual(["Started", "Ended", "Duration"]);
  expect(texts(".rw-fact-value").slice(2)).toEqual([formatMoment(NOW), formatMoment(NOW + 3725), "01:02:05"]);
  model.set("state", details({ started_at: null }));
  expect(texts("dt")).toEqual(["Run id", "Experiment"]);
});

test("a section with nothing in it is not shown, but tags can always be added", () => {
  const { all } = open({ tags: [], tags_total: 0, properties: [], properties_total: 0, timeline: [] });
  expect(shownSections(all)).toEqual(["Tags"]);
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
    ...FULL,
    facts: [{ label: HOSTILE, value: HOSTILE }],
    description: HOSTILE,
    error: { code: HOSTILE, message: HOSTILE, traceback: HOSTILE },
    tags: [{ key: HOSTILE, value: HOSTILE }],
    properties: [{ key: HOSTILE, value: HOSTILE }],
    submission: { facts: [{ label: HOSTILE, value: HOSTILE }], variables: [], packages: [HOSTILE] },
  });
  expect(host.querySelectorAll("img, b b").length).toBe(0);
  expect(host.textContent?.split(HOSTILE).length).toBeGreaterThan(8);
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
