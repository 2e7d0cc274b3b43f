import { expect, test } from "vitest";
import table from "../../tests/golden/screen.json";
import { dress, type Pen, PLAIN, repenned } from "../src/pen";
import { MAX_COLUMNS, Screen } from "../src/screen";

function screenOf(...parts: string[]): Screen {
  const screen = new Screen(0);
  for (const part of parts) screen.write(part, 0);
  return screen;
}

const textOf = (screen: Screen): string[] => screen.lines.map((line) => line.text);

const spansOf = (text: string) => [...(screenOf(text).lines[0]?.spans() ?? [])];

test.each(table)("$about", ({ parts, lines }) => {
  expect(textOf(screenOf(...parts))).toEqual(lines);
});

test.each(table.filter(({ parts }) => parts.join("").length < 200))(
  "$about, wherever it is cut",
  ({ parts, lines }) => {
    const text = parts.join("");
    expect(textOf(screenOf(...text))).toEqual(lines);
    for (let cut = 1; cut < text.length; cut += 1) {
      expect(textOf(screenOf(text.slice(0, cut), text.slice(cut)))).toEqual(lines);
    }
  },
);

test("what is cut off a long line is counted, and a later shorter one is whole", () => {
  const screen = screenOf("x".repeat(MAX_COLUMNS + 10));
  expect(screen.lines[0]?.cut).toBe(10);
  screen.write("\r\u001b[Kshort", 0);
  expect([screen.lines[0]?.text, screen.lines[0]?.cut]).toEqual(["short", 0]);
});

test.each([
  ["parameters", `\u001b[${"1".repeat(100_000)}`],
  ["a title", `\u001b]${"x".repeat(100_000)}`],
  ["blanks", "\u001b[500Cx\n".repeat(2000)],
  ["to and fro", "\u001b[9C\b".repeat(50_000)],
  ["escapes", "\u001b".repeat(100_000)],
  ["up and down", "\n\u001b[A".repeat(50_000)],
  ["colours", "\u001b[31m\u001b[0mx".repeat(20_000)],
])("hostile text becomes no more than a screen could hold: %s", (_, text) => {
  const { lines } = screenOf(text, "end");
  expect(lines.length).toBeLessThanOrEqual(text.split("\n").length);
  expect(Math.max(...lines.map((line) => line.cells.length))).toBeLessThanOrEqual(MAX_COLUMNS);
});

test("a line knows where it begins in the file", () => {
  const screen = new Screen(100);
  screen.write("one\n", 104);
  screen.write("two\n", 108);
  expect(screen.lines.map((line) => line.at)).toEqual([100, 104, 108]);
});

test("the first lines can be dropped, but for the one that is written to", () => {
  const screen = screenOf("a\nb\nc");
  expect(screen.dropFirst(9).map((line) => line.text)).toEqual(["a", "b"]);
  screen.write("!\nd", 0);
  expect(textOf(screen)).toEqual(["c!", "d"]);
});

test("lines that a program clears are told of", () => {
  const screen = screenOf("a\nb\nc");
  screen.changed.clear();
  screen.write("\u001b[2A\r\u001b[J", 0);
  expect(screen.removed.map((line) => line.text)).toEqual(["b", "c"]);
});

const PENS: [string, Partial<Pen>][] = [
  ["1", { bold: true }],
  ["2;3;4;9", { dim: true, italic: true, underline: true, strike: true }],
  ["1;22", {}],
  ["31", { fg: { index: 1 } }],
  ["97;44", { fg: { index: 15 }, bg: { index: 4 } }],
  ["31;39", {}],
  ["38;5;9", { fg: { index: 9 } }],
  ["38;5;16", { fg: { rgb: 0 } }],
  ["38;5;208", { fg: { rgb: 0xff8700 } }],
  ["48;5;255", { bg: { rgb: 0xeeeeee } }],
  ["38;2;1;2;3", { fg: { rgb: 0x010203 } }],
  ["38:2:1:2:3", { fg: { rgb: 0x010203 } }],
  ["38:2::1:2:3", { fg: { rgb: 0x010203 } }],
  ["38:5:208", { fg: { rgb: 0xff8700 } }],
  ["38;2;1;2;3;1", { fg: { rgb: 0x010203 }, bold: true }],
  ["38;2;300;0;0", {}],
  ["38;5;999", {}],
  ["38;5", { fg: { index: 0 } }],
  ["38", {}],
  ["31;;1", { bold: true }],
  ["", {}],
  ["31;0", {}],
  ["4;4:0", {}],
  ["7;27", {}],
  ["999", {}],
  [">4;1", {}],
  ["?31", {}],
];

test.each(PENS)("the pen of “%s”", (parameters, expected) => {
  expect(repenned(PLAIN, parameters)).toEqual({ ...PLAIN, ...expected });
});

test("parts that look alike are one span", () => {
  const spans = spansOf("a\u001b[31mb\u001b[31mc\u001b[0md");
  expect(spans.map(([text]) => text).join("|")).toMatch(/^a\|b\|?c\|d$/);
  expect(spansOf("ab\u001b[0mcd")).toEqual([["abcd", PLAIN]]);
});

const dressed = (parameters: string): HTMLElement => {
  const node = document.createElement("span");
  dress(node, repenned(PLAIN, parameters));
  return node;
};

test("one of the 16 colours is the theme's, others are left for the stylesheet to make readable", () => {
  expect(dressed("31").style.color).toBe("var(--rw-ansi-1)");
  const other = dressed("38;2;255;255;0");
  expect([other.className, other.style.getPropertyValue("--rw-ink")]).toEqual(["rw-ink", "#ffff00"]);
});

test("on a background of its own text can be read, also where the log asks for the same colour twice", () => {
  expect(dressed("48;2;255;255;255").style.color).toBe("#000000");
  expect(dressed("48;2;0;0;0").style.color).toBe("#ffffff");
  expect(dressed("38;2;250;250;250;48;2;255;255;255").style.color).toBe("#000000");
  expect(dressed("38;2;0;0;200;48;2;255;255;255").style.color).toBe("#0000c8");
});

test("inverse changes text and background", () => {
  expect(dressed("7").className).toBe("rw-inverse");
  expect(dressed("7;38;2;0;0;200").style.backgroundColor).toBe("#0000c8");
  expect(dressed("7;48;2;0;0;200").style.color).toBe("#0000c8");
});

test("bold, dim, italic, underlined and struck text has a class for each", () => {
  expect(dressed("1;2;3;4;9").className).toBe("rw-bold rw-dim rw-italic rw-underline rw-strike");
});
