import { expect, test } from "vitest";
import { readTable } from "../src/csv";
import { diffLines } from "../src/diff";
import { indented } from "../src/json";
import { plainName, plainText } from "../src/plain";

test("a name in one line shows what cannot be seen, and what would turn the rest round", () => {
  expect(plainName("evil\u202egnp.exe")).toBe("evil\\u202egnp.exe");
  expect(plainName("a\nb\tc\u0000\u200b\ufeff\u2028")).toBe("a\\u000ab\\u0009c\\u0000\\u200b\\ufeff\\u2028");
  expect(plainName("Grüße 🔥 日本 👩‍🚀 ../x")).toBe("Grüße 🔥 日本 👩‍🚀 ../x");
});

test("a text keeps its lines and tabs, and nothing turns it round", () => {
  expect(plainText("a\tb\r\nc\rd\u001b[31m\u202e")).toBe("a\tb\nc\nd\\u001b[31m\\u202e");
});

test("JSON is indented without a change to its values", () => {
  const text = '{"a":[1.00,NaN,12345678901234567890],"b":{},"c":[ ],"d":"x, {y}: \\"z\\""}';
  expect(indented(text)).toBe(
    [
      "{",
      '  "a": [',
      "    1.00,",
      "    NaN,",
      "    12345678901234567890",
      "  ],",
      '  "b": {},',
      '  "c": [],',
      '  "d": "x, {y}: \\"z\\""',
      "}",
    ].join("\n"),
  );
});

test("JSON that is cut off, or none, is shown as far as it goes", () => {
  expect(indented('{"a": [1, "two')).toBe('{\n  "a": [\n    1,\n    "two');
  expect(indented("}}]")).toBe("\n}\n}\n]");
  expect(indented("just words")).toBe("justwords");
  expect(indented("")).toBe("");
});

test.each([
  [
    "a,b\n1,2\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "a\tb\n1\t2,5",
    [
      ["a", "b"],
      ["1", "2,5"],
    ],
  ],
  [
    "a;b\n1,5;2",
    [
      ["a", "b"],
      ["1,5", "2"],
    ],
  ],
  [
    '"a,""x""",b\n"two\nlines",c',
    [
      ['a,"x"', "b"],
      ["two\nlines", "c"],
    ],
  ],
  ["a,b,\n", [["a", "b", ""]]],
  ["a,", [["a", ""]]],
  ['a,"no end', [["a", "no end"]]],
  ["alone", [["alone"]]],
  ["", []],
])("the table %j is read", (text, rows) => {
  expect(readTable(text, 10, 10)).toEqual(rows);
});

test("of a large table the first rows and columns are read", () => {
  expect(readTable("a,b,c\n1,2,3\n4,5,6\n", 2, 2)).toEqual([
    ["a", "b"],
    ["1", "2"],
  ]);
});

test("each line of a diff says what it is", () => {
  const lines = diffLines("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same\n");
  expect(lines.map((line) => line.className.replace("rw-diff-line", "").trim())).toEqual([
    "rw-diff-head",
    "rw-diff-head",
    "rw-diff-head",
    "rw-diff-place",
    "rw-diff-old",
    "rw-diff-new",
    "",
  ]);
  expect(lines.map((line) => line.textContent).join("")).toContain("-old\n+new\n");
});
