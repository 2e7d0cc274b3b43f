import { afterEach, beforeEach, expect, test, vi } from "vitest";
import filesPanel from "../src/files";
import type { FilesState, PreviewReply } from "../src/wire";
import { button, HOSTILE, mount, press, type } from "./model";
import { preview } from "./states";

let made: Blob[];
let saved: string[];

beforeEach(() => {
  vi.useFakeTimers();
  made = [];
  saved = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${made.push(blob as Blob)}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    saved.push(this.download);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

const SOME: [string, number][] = [
  ["outputs/step_10.txt", 10],
  ["outputs/step_2.txt", 20],
  ["outputs/deep/a.bin", 1000],
  ["top.txt", 5],
];

function open(files: [string, number][] = SOME, change: Partial<FilesState> = {}) {
  const state = { total: files.length, seq: 1, is_open: true, ...change };
  const panel = mount(filesPanel, { state, listing: { seq: 1, files } });
  const names = () => panel.texts(".rw-tree-name");
  const line = (name: string): HTMLElement => {
    const found = panel
      .all(".rw-tree-line")
      .find((one) => one.querySelector(".rw-tree-name")?.textContent === name);
    if (!found) throw new Error(`no line ${name}`);
    return found;
  };
  const asked = () => panel.model.send.mock.calls.map(([message]) => message);
  const answer = (change: Partial<PreviewReply>, text = "") => {
    const { id } = asked().at(-1);
    panel.model.receive({ ...preview(change), id }, [new DataView(new TextEncoder().encode(text).buffer)]);
  };
  return { ...panel, names, line, asked, answer };
}

test("folders come first, numbers by their value, and sizes are summed", () => {
  const { names, line, find } = open();
  expect(names()).toEqual(["outputs/", "deep/", "a.bin", "step_2.txt", "step_10.txt", "top.txt"]);
  expect(line("outputs/").querySelector(".rw-tree-size")?.textContent).toBe("1.0 kB");
  expect(line("outputs/").querySelector(".rw-count")?.textContent).toBe("3");
  expect(find(".rw-toolbar").textContent).toBe("4 files, 1.0 kB");
});

test("a folder opens and shuts by a click and by the keyboard", () => {
  const { names, line, find } = open();
  line("outputs/").click();
  expect(names()).toEqual(["outputs/", "top.txt"]);
  const tree = find("[role=tree]");
  press(tree, "ArrowRight");
  expect(names()).toHaveLength(6);
  press(tree, "ArrowRight");
  expect(find(`#${tree.getAttribute("aria-activedescendant")} .rw-tree-name`).textContent).toBe("deep/");
  press(tree, "ArrowLeft");
  press(tree, "ArrowLeft");
  press(tree, "ArrowLeft");
  expect(names()).toEqual(["outputs/", "top.txt"]);
  press(tree, "End");
  expect(find(`#${tree.getAttribute("aria-activedescendant")} .rw-tree-name`).textContent).toBe("top.txt");
});

test("of ten thousand files only the lines in sight are elements", () => {
  const many = Array.from({ length: 10_000 }, (_, at): [string, number] => [`a/file_${at}`, 1]);
  const { line, all, find } = open(many);
  expect(all(".rw-tree-line")).toHaveLength(1);
  line("a/").click();
  expect(all(".rw-tree-line").length).toBeLessThan(60);
  expect(find(".rw-tree-space").style.height).toBe(`${10_001 * 24}px`);
});

test("the filter shows what matches with its folders open", () => {
  const { find, names } = open();
  type(find<HTMLInputElement>(".rw-filter"), "STEP");
  vi.advanceTimersByTime(200);
  expect(names()).toEqual(["outputs/", "step_2.txt", "step_10.txt"]);
  type(find<HTMLInputElement>(".rw-filter"), "nothing like it");
  vi.advanceTimersByTime(200);
  expect(find(".rw-empty").textContent).toBe("No file matches.");
});

test("what is new is added, the chosen line stays, and who has missed something asks for all", () => {
  const { model, names, line, asked } = open();
  line("top.txt").click();
  model.receive({
    kind: "files",
    seq: 2,
    files: [
      ["new.txt", 1],
      ["top.txt", 6],
    ],
  });
  model.set("state", { total: 5, seq: 2, is_open: true });
  expect(names().slice(-2)).toEqual(["new.txt", "top.txt"]);
  expect(line("top.txt").getAttribute("aria-selected")).toBe("true");
  expect(asked().map(({ kind }) => kind)).toEqual(["preview"]);
  model.receive({ kind: "files", seq: 4, files: [["later.txt", 1]] });
  expect(names()).not.toContain("later.txt");
  model.set("state", { total: 7, seq: 4, is_open: true });
  expect(asked().at(-1)).toEqual({ kind: "list" });
  model.set("listing", { seq: 4, files: [...SOME, ["new.txt", 1], ["between.txt", 1], ["later.txt", 1]] });
  expect(names()).toContain("later.txt");
});

test("a text is shown as text, and of a long one it is said how much", () => {
  const { line, answer, find, asked, host } = open();
  line("top.txt").click();
  expect(asked().at(-1)).toMatchObject({ kind: "preview", path: "top.txt" });
  answer({ path: "top.txt", size: 2_000_000, is_cut: true }, `${HOSTILE}\n`);
  expect(find(".rw-preview-text").textContent).toBe(`${HOSTILE}\n`);
  expect(find(".rw-preview-note").textContent).toBe(`the first ${HOSTILE.length + 1} B of 2.0 MB`);
  expect(host.querySelectorAll("[onerror], .rw-preview b").length).toBe(0);
});

test("JSON, tables, diffs, what is binary, empty or refused are each shown as what they are", () => {
  const { line, answer, find, texts } = open();
  line("top.txt").click();
  answer({ shown: "json" }, '{"a":1}');
  expect(find(".rw-preview-text").textContent).toBe('{\n  "a": 1\n}');
  line("top.txt").click();
  answer({ shown: "table" }, "name,n\n<b>x</b>,1\n");
  expect(texts(".rw-preview td")).toEqual(["<b>x</b>", "1"]);
  line("top.txt").click();
  answer({ shown: "diff" }, "-old\n+new\n");
  expect(texts(".rw-diff-new")).toEqual(["+new\n"]);
  for (const [change, words] of [
    [{ shown: "binary" }, "This is not a text: it can be downloaded."],
    [{ shown: "empty" }, "The file is empty."],
    [{ shown: "image", note: "too large" }, "too large"],
    [{ shown: "image", mime: "image/svg+xml" }, "This image is not shown."],
    [{ trouble: "it is not there any more" }, "it is not there any more"],
  ] as const) {
    line("top.txt").click();
    answer(change, "");
    expect(find(".rw-preview-note").textContent).toBe(words);
    expect(find(".rw-preview-body").childNodes).toHaveLength(0);
  }
  expect(made).toEqual([]);
});

test("an image is shown by a blob of its own type", () => {
  const { line, answer, find } = open();
  line("top.txt").click();
  answer({ shown: "image", mime: "image/png", width: 1200, height: 800 }, "png");
  expect(find<HTMLImageElement>(".rw-preview-image").src).toBe("blob:1");
  expect(made[0]?.type).toBe("image/png");
  expect(find(".rw-preview-note").textContent).toBe("1200 × 800 pixels");
});

test("an answer to another view, or of a file that is not chosen any more, is not shown", () => {
  const { line, model, find, asked, answer } = open();
  line("top.txt").click();
  const { id } = asked().at(-1);
  model.receive({ ...preview(), id: "other-1" }, []);
  line("a.bin").click();
  model.receive({ ...preview({ shown: "binary" }), id }, []);
  expect(find(".rw-preview-note").textContent).toBe("");
  answer({ shown: "empty" });
  expect(find(".rw-preview-note").textContent).toBe("The file is empty.");
});

test("it says that it waits for Python when an answer takes longer", () => {
  const { line, find, answer } = open();
  line("top.txt").click();
  expect(find(".rw-preview-note").textContent).toBe("");
  vi.advanceTimersByTime(350);
  expect(find(".rw-preview-note").textContent).toBe("Waiting for Python…");
  answer({}, "late");
  expect(find(".rw-preview-text").textContent).toBe("late");
});

test("a download asks part by part, shows how far it is, and is one file at the end", async () => {
  const { line, find, all, asked, model } = open();
  line("step_2.txt").click();
  const download = button(all("button"), "Download");
  download.click();
  const first = asked().at(-1);
  expect(first).toMatchObject({ kind: "download", what: "file", name: "outputs/step_2.txt", start: 0 });
  const part = (values: number[], change: object) => {
    const { id } = asked().at(-1);
    const reply = { kind: "download", id, trouble: null, size: 4, ...change };
    model.receive(reply, [new DataView(Uint8Array.from(values).buffer)]);
  };
  part([1, 2, 3], { start: 0, end: 3 });
  expect(asked().at(-1)).toMatchObject({ start: 3, download: first.download });
  expect(find(".rw-download").textContent).toBe("3 B of 4 B");
  part([4], { start: 3, end: 4 });
  expect(saved).toEqual(["step_2.txt"]);
  expect(new Uint8Array((await made[0]?.arrayBuffer()) as ArrayBuffer)).toEqual(Uint8Array.of(1, 2, 3, 4));
  expect(find(".rw-download").textContent).toBe("Download");
  download.click();
  part([], { trouble: "larger than 200 MB" });
  expect(find(".rw-trouble").textContent).toBe("larger than 200 MB");
  expect(saved).toHaveLength(1);
});

test("a download can be stopped, and what comes after that is dropped", () => {
  const { line, all, asked, model, find } = open();
  line("top.txt").click();
  const download = button(all("button"), "Download");
  download.click();
  const { id } = asked().at(-1);
  download.click();
  model.receive({ kind: "download", id, trouble: null, start: 0, end: 1, size: 1 }, [
    new DataView(new ArrayBuffer(1)),
  ]);
  expect(saved).toEqual([]);
  expect(find(".rw-download").textContent).toBe("Download");
});

test("names that mislead or look like markup are shown as what they are", () => {
  const { names, host } = open([
    [HOSTILE, 1],
    ["x/evil\u202egnp.exe", 1],
    ["../../etc/passwd", 1],
    ["line\nbreak", 1],
    ["", 1],
  ]);
  expect(names()).toEqual(
    expect.arrayContaining(["evil\\u202egnp.exe", "line\\u000abreak", "../", "(no name)"]),
  );
  expect(host.querySelectorAll("img, b").length).toBe(0);
});

test("an empty run says so, and one whose list has not come yet is loading", () => {
  expect(open([], { seq: 0 }).find(".rw-yet").textContent).toBe("No files yet.");
  document.body.replaceChildren();
  expect(open([], { total: 900, seq: 0 }).find(".rw-empty").textContent).toBe("Loading…");
});

test("after clean-up no listener, timer or element is left", () => {
  const { host, model, line, end, all } = open();
  line("top.txt").click();
  button(all("button"), "Download").click();
  end();
  expect([vi.getTimerCount(), model.listenerCount, host.childNodes.length]).toEqual([0, 0, 0]);
});
