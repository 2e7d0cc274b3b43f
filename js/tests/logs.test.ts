import { afterEach, beforeEach, expect, test, vi } from "vitest";
import logsPanel from "../src/logs";
import type { LogMessage, LogsControls, LogsState } from "../src/wire";
import { button, HOSTILE, mount, press, type } from "./model";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

const LOG = "user_logs/std_log.txt";

function open(state: Partial<LogsState> = {}, controls: Partial<LogsControls> = {}) {
  return mount(logsPanel, {
    state: { logs: [LOG], is_open: true, ...state },
    controls: { name: null, wrap: false, ...controls },
  });
}

const message = (text: string, change: Partial<LogMessage> = {}): [LogMessage, DataView[]] => {
  const bytes = new TextEncoder().encode(text);
  const place = { content: 0, start: 0, end: bytes.length, size: bytes.length };
  return [{ kind: "log", name: LOG, trouble: null, ...place, ...change }, [new DataView(bytes.buffer)]];
};

/** Says how large the box and what is in it are, which only a page with a layout knows. */
function layOut(box: HTMLElement, scrollHeight: () => number, clientHeight = 100): void {
  Object.defineProperty(box, "scrollHeight", { configurable: true, get: scrollHeight });
  Object.defineProperty(box, "clientHeight", { configurable: true, get: () => clientHeight });
}

const shown = (host: HTMLElement): string[] =>
  [...host.querySelectorAll(".rw-log-line")].map((line) => line.textContent ?? "");

test("the end of the first log is asked for when its tab is open, and not before", () => {
  const { model } = open({ is_open: false });
  expect(model.send).not.toHaveBeenCalled();
  model.set("state", { logs: [LOG], is_open: true });
  model.set("state", { logs: [LOG, "logs/a.txt"], is_open: true });
  expect(model.send.mock.calls).toEqual([[{ kind: "log", name: LOG, before: null }]]);
});

test("lines come as they are printed, and those that did not change stay", () => {
  const { model, host, find } = open();
  model.receive(...message("one\n 10%"));
  const first = find(".rw-log-line");
  model.receive(...message("\r 20%\nend\n", { start: 8, end: 18, size: 18 }));
  expect(shown(host)).toEqual(["one", " 20%", "end", ""]);
  expect(find(".rw-log-line")).toBe(first);
});

test("colours are spans of text, and markup stays text", () => {
  const { model, host, find } = open();
  model.receive(...message(`\u001b[31m${HOSTILE}\u001b[0m`));
  expect(find(".rw-log-line span").textContent).toBe(HOSTILE);
  expect(find(".rw-log-line span").style.color).toBe("var(--rw-ansi-1)");
  expect(host.querySelectorAll("img, b").length).toBe(0);
});

test("it follows the end until its reader goes up, and again from the end on", () => {
  const { model, find } = open();
  const box = find(".rw-log");
  let height = 300;
  layOut(box, () => height);
  model.receive(...message("one\n"));
  expect(box.scrollTop).toBe(300);
  expect(find(".rw-jump").hidden).toBe(true);
  box.scrollTop = 50;
  box.dispatchEvent(new Event("scroll"));
  expect(find(".rw-jump").hidden).toBe(false);
  height = 400;
  model.receive(...message("two\n", { start: 4, end: 8, size: 8 }));
  expect(box.scrollTop).toBe(50);
  find(".rw-jump").click();
  expect(box.scrollTop).toBe(400);
  expect(find(".rw-jump").hidden).toBe(true);
  expect(document.activeElement).toBe(box);
});

test("a scroll that more lines below have caused leaves nobody behind", () => {
  const { model, find } = open();
  const box = find(".rw-log");
  layOut(box, () => 300);
  model.receive(...message("one\n"));
  layOut(box, () => 900);
  box.dispatchEvent(new Event("scroll"));
  expect(find(".rw-jump").hidden).toBe(true);
});

test("another log is chosen from the list, and a new one joins it", () => {
  const { model, find, texts, host } = open();
  model.receive(...message("one\n"));
  expect(find(".rw-choose").hidden).toBe(true);
  model.set("state", { logs: [LOG, "logs/a.txt"], is_open: true });
  expect(find(".rw-choose").hidden).toBe(false);
  expect(texts("option")).toEqual([LOG, "logs/a.txt"]);
  const choose = find<HTMLSelectElement>(".rw-choose");
  choose.value = "logs/a.txt";
  choose.dispatchEvent(new Event("change"));
  expect(model.get("controls").name).toBe("logs/a.txt");
  expect(model.send).toHaveBeenLastCalledWith({ kind: "log", name: "logs/a.txt", before: null });
  model.receive(...message("late\n"));
  expect(shown(host)).toEqual([]);
  model.receive(...message("a\n", { name: "logs/a.txt" }));
  expect(shown(host)).toEqual(["a", ""]);
});

test("words are found whatever their case, counted, and gone through in both directions", () => {
  const { model, find, texts, all } = open();
  model.receive(...message("Loss 1\n\u001b[31mlo\u001b[0mss 2\nloss 3 (lo.ss)\n"));
  const input = find<HTMLInputElement>(".rw-search");
  type(input, "LOSS");
  vi.advanceTimersByTime(200);
  expect(find(".rw-search-count").textContent).toBe("3 of 3");
  expect(texts(".rw-hit")).toEqual(["Loss", "lo", "ss", "loss"]);
  expect(texts(".rw-hit-current")).toEqual(["loss"]);
  press(input, "Enter");
  expect(find(".rw-search-count").textContent).toBe("1 of 3");
  input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", shiftKey: true, bubbles: true }));
  button(all("button"), "Previous match").click();
  expect(find(".rw-search-count").textContent).toBe("2 of 3");
  expect(texts(".rw-hit-current")).toEqual(["lo", "ss"]);
  press(input, "Escape");
  expect([input.value, find(".rw-search-count").textContent]).toEqual(["", ""]);
  expect(all(".rw-hit")).toHaveLength(0);
});

test("words are taken as they are written, and new lines are searched too", () => {
  const { model, find, texts } = open();
  model.receive(...message("a.b\naxb\n"));
  type(find<HTMLInputElement>(".rw-search"), "a.b");
  vi.advanceTimersByTime(200);
  expect(texts(".rw-hit")).toEqual(["a.b"]);
  model.receive(...message("A.B\n", { start: 8, end: 12, size: 12 }));
  expect(texts(".rw-hit")).toEqual(["a.b", "A.B"]);
  expect(find(".rw-search-count").textContent).toBe("1 of 2");
});

test("earlier lines are loaded on demand, and a search says that it is in a part", () => {
  const { model, find, host } = open();
  model.receive(...message("thr\nfour\nfive\n", { start: 100, end: 114, size: 114 }));
  expect(find(".rw-earlier").textContent).toBe("Load earlier (104 B before this)");
  type(find<HTMLInputElement>(".rw-search"), "o");
  vi.advanceTimersByTime(200);
  expect(find(".rw-search-count").textContent).toBe("1 of 1 in the loaded part");
  find(".rw-earlier").click();
  expect(model.send).toHaveBeenLastCalledWith({ kind: "log", name: LOG, before: 104 });
  model.receive(...message("two\n", { start: 0, end: 104, size: 114 }));
  expect(shown(host)).toEqual(["two", "four", "five", ""]);
  expect(find(".rw-log-head").hidden).toBe(true);
});

test("a log of which a part did not arrive is asked for anew", () => {
  const { model } = open();
  model.receive(...message("one\n"));
  model.receive(...message("three\n", { start: 50, end: 56, size: 56 }));
  expect(model.send).toHaveBeenCalledTimes(2);
  expect(model.send).toHaveBeenLastCalledWith({ kind: "log", name: LOG, before: null });
});

test("a log that is gone is told of over what was shown last", () => {
  const { model, host, find } = open();
  model.receive(...message("one\n"));
  model.receive(...message("", { trouble: "the file is not there any more" }));
  expect(find(".rw-log-note").textContent).toBe(`${LOG}: the file is not there any more`);
  expect(shown(host)).toEqual(["one", ""]);
});

test("nothing printed yet is told, with no log and with an empty one", () => {
  const { model, find } = open({ logs: [] });
  expect(find(".rw-yet").textContent).toBe("Nothing printed yet.");
  expect(find(".rw-log-bar").hidden).toBe(true);
  model.set("state", { logs: [LOG], is_open: true });
  expect(find(".rw-empty").textContent).toBe("Loading…");
  model.receive(...message(""));
  expect(find(".rw-yet").textContent).toBe("Nothing printed yet.");
  model.receive(...message("one\n"));
  expect([find(".rw-empty").hidden, find(".rw-log-page").hidden]).toEqual([true, false]);
});

test("lines are wrapped at a click, for all views", () => {
  const { model, all, find } = open();
  button(all("button"), "Wrap").click();
  expect(model.get("controls").wrap).toBe(true);
  expect(find(".rw-log").classList.contains("rw-wrap")).toBe(true);
  expect(button(all("button"), "Wrap").getAttribute("aria-pressed")).toBe("true");
});

test("all that is loaded is copied as text", () => {
  const write = vi.fn(async () => {});
  vi.stubGlobal("navigator", { clipboard: { writeText: write } });
  const { model, find } = open();
  model.receive(...message("\u001b[31mone\u001b[0m\ntwo"));
  find(".rw-copy").click();
  expect(write).toHaveBeenCalledWith("one\ntwo");
  vi.unstubAllGlobals();
});

test("a log is downloaded by who asked for it, and of a huge one it is told what is missing", () => {
  const made: string[] = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation(
    (blob) => `blob:${made.push(String((blob as Blob).size))}`,
  );
  vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
  const { model, all, find } = open();
  model.receive(...message("tail\n"));
  const whole = message("tail\n", { kind: "download", start: 1000, end: 1005, size: 1005 });
  model.receive(...whole);
  expect(made).toEqual([]);
  button(all("button"), "Download").click();
  expect(model.send).toHaveBeenLastCalledWith({ kind: "download", name: LOG });
  model.receive(...whole);
  expect(made).toEqual(["5"]);
  expect(find(".rw-log-note").textContent).toContain("The last 5 B of 1.0 kB are downloaded");
});

test("after clean-up no listener, timer or element is left", () => {
  const { model, host, end } = open();
  model.receive(...message("one\n"));
  end();
  expect([model.listenerCount, host.childNodes.length, vi.getTimerCount()]).toEqual([0, 0, 0]);
});
