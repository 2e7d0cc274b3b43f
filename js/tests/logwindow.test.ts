import { expect, test } from "vitest";
import { LogWindow, MAX_LINES } from "../src/logwindow";
import type { LogMessage } from "../src/wire";

const encode = (text: string) => new TextEncoder().encode(text);

/** A file on Python's side, read as Python reads it. */
class File {
  bytes = new Uint8Array();
  content = 0;

  constructor(text: string | Uint8Array = "") {
    this.append(text);
  }

  append(more: string | Uint8Array): this {
    const added = typeof more === "string" ? encode(more) : more;
    const all = new Uint8Array(this.bytes.length + added.length);
    all.set(this.bytes);
    all.set(added, this.bytes.length);
    this.bytes = all;
    return this;
  }

  part(start: number, end = this.bytes.length): [LogMessage, Uint8Array] {
    const place = { content: this.content, start, end, size: this.bytes.length };
    return [{ kind: "log", name: "log", trouble: null, ...place }, this.bytes.slice(start, end)];
  }
}

const textOf = (log: LogWindow): string[] => log.lines.map((line) => line.text);

function opened(file: File, start = 0): LogWindow {
  const log = new LogWindow();
  log.take(...file.part(start), true);
  return log;
}

test("what is new follows on what is here, and is taken once however it overlaps", () => {
  const file = new File("one\ntw");
  const log = opened(file);
  file.append("o\nthree\n");
  expect(log.take(...file.part(6), true)).toBe("more");
  expect(log.take(...file.part(6), true)).toBe("nothing");
  file.append("four\n");
  expect(log.take(...file.part(2), true)).toBe("more");
  expect(textOf(log)).toEqual(["one", "two", "three", "four", ""]);
});

test("a part that is missing is found", () => {
  const file = new File("one\n");
  const log = opened(file);
  file.append("two\nthree\n");
  expect(log.take(...file.part(8), true)).toBe("gap");
  expect(textOf(log)).toEqual(["one", ""]);
});

test("where more was written than a message carries, its end takes the place of what was there", () => {
  const file = new File("one\n");
  const log = opened(file);
  file.append(`${"x".repeat(99)}\n`).append("line\n".repeat(60_000));
  expect(log.take(...file.part(file.bytes.length - 2 ** 18), true)).toBe("anew");
  expect(log.lines).toHaveLength(MAX_LINES);
  expect(log.end).toBe(file.bytes.length);
});

test("what somebody reads stays where it is, however much is written meanwhile", () => {
  const file = new File("one\n");
  const log = opened(file);
  file.append("line\n".repeat(60_000));
  expect(log.take(...file.part(file.bytes.length - 2 ** 18), false)).toBe("nothing");
  expect([...textOf(log), log.isAtEnd]).toEqual(["one", "", false]);
});

test("another content takes the place of the one before", () => {
  const file = new File("one\n");
  const log = opened(file);
  const next = new File("1\n");
  next.content = 1;
  expect(log.take(...next.part(0), true)).toBe("anew");
  expect(textOf(log)).toEqual(["1", ""]);
});

test("a character that is cut between two parts is whole, and what is no UTF-8 is marked", () => {
  const file = new File(encode("né").slice(0, 2));
  const log = opened(file);
  expect(textOf(log)).toEqual(["n"]);
  file.append(encode("né€").slice(2)).append(new Uint8Array([0xff, 0x41, 0x0a]));
  log.take(...file.part(2), true);
  expect(textOf(log)).toEqual(["né€\ufffdA", ""]);
});

test("a part from the middle begins with a whole line, or at least a whole character", () => {
  expect(textOf(opened(new File("torn\nwhole\nand whole\n"), 2))).toEqual(["whole", "and whole", ""]);
  expect(textOf(opened(new File("é€ with no line end"), 3))).toEqual([" with no line end"]);
});

test("earlier parts come before, until the beginning", () => {
  const file = new File("1\n2\n3\n4\n5\n6\n");
  const log = opened(file, 7);
  expect([log.start, ...textOf(log)]).toEqual([8, "5", "6", ""]);
  expect(log.take(...file.part(3, 8), true)).toBe("earlier");
  expect([log.start, ...textOf(log)]).toEqual([4, "3", "4", "5", "6", ""]);
  log.take(...file.part(0, 4), true);
  file.append("7\n");
  log.take(...file.part(12), true);
  expect(textOf(log)).toEqual(["1", "2", "3", "4", "5", "6", "7", ""]);
});

test("an earlier part that nobody waits for any more is left alone", () => {
  const file = new File("1\n2\n3\n4\n");
  const log = opened(file, 3);
  expect(log.take(...file.part(0, 2), true)).toBe("nothing");
});

const numbered = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => `${from + i}\n`).join("");

test("who follows keeps the newest lines, and the place of the first in the file", () => {
  const file = new File(numbered(10));
  const log = opened(file);
  const end = log.end;
  file.append(numbered(MAX_LINES, 10));
  log.take(...file.part(end), true);
  expect(log.lines).toHaveLength(MAX_LINES);
  expect(log.lines[0]?.text).toBe("11");
  expect(log.start).toBe(encode(numbered(11)).length);
  expect(log.gone).toHaveLength(11);
});

test("under the eyes of who reads nothing goes, and beyond twice as many lines nothing comes", () => {
  const file = new File(numbered(10));
  const log = opened(file);
  for (let i = 0; i < 3; i += 1) {
    const end = file.bytes.length;
    file.append(numbered(MAX_LINES));
    log.take(...file.part(end), false);
  }
  expect(log.lines[0]?.text).toBe("0");
  expect(log.lines.length).toBeLessThanOrEqual(2 * MAX_LINES + 12);
  expect([log.isAtEnd, log.size]).toEqual([false, file.bytes.length]);
});

test("who reads on towards the beginning keeps that, and the end is left out", () => {
  const file = new File(numbered(3 * MAX_LINES, 10_000));
  const at = 6 * 2 * MAX_LINES;
  const log = opened(file, at);
  log.take(...file.part(6 * 100, log.start), false);
  expect(log.lines).toHaveLength(2 * MAX_LINES);
  expect(log.isAtEnd).toBe(false);
  expect(log.lines.at(-1)?.at).toBe(log.end - 6);
  file.append("new\n");
  expect(log.take(...file.part(log.end), false)).toBe("nothing");
  expect(log.size).toBe(file.bytes.length);
});
