import { expect, test } from "vitest";
import {
  digitsToTell,
  exactText,
  formatAgo,
  formatBytes,
  formatDuration,
  formatMoment,
  formatNumber,
  formatStart,
  formatValue,
} from "../src/format";

/** Thin spaces are hard to tell apart in a test's source. */
const plain = (text: string): string => text.replaceAll("\u202f", "_");

test.each([
  [0, "0"],
  [-0, "0"],
  [0.1834, "0.1834"],
  [0.18344444, "0.1834"],
  [2.30409, "2.3041"],
  [41.2, "41.2"],
  [-1, "−1"],
  [1234, "1234"],
  [12400, "12_400"],
  [-12400.4, "−12_400"],
  [123456.7, "123_457"],
  [1234567, "1_234_567"],
  [1e20, "1e20"],
  [1.2e-7, "1.2e−7"],
  [-0.00001, "−1e−5"],
  [0.00012, "0.00012"],
  [1e300, "1e300"],
])("the number %d is shown as %s", (x, text) => {
  expect(plain(formatNumber(x))).toBe(text);
});

test("numbers that differ have the digits that tell them apart, and no more than usual where they need none", () => {
  const close = [1.0000003, 1.0000001, 1.0000003];
  expect(close.map((x) => formatNumber(x, digitsToTell(close)))).toEqual([
    "1.0000003",
    "1.0000001",
    "1.0000003",
  ]);
  const far = [1e9 + 0.049, 1e9];
  expect(far.map((x) => plain(formatNumber(x, digitsToTell(far))))).toEqual([
    "1_000_000_000.05",
    "1_000_000_000",
  ]);
  expect(digitsToTell([0.18344, 2.3, 7, 7])).toBe(0);
  expect(digitsToTell([null, "text", { float: "NaN" }])).toBe(0);
  expect(formatNumber(123456.7, 9)).toBe("123\u202f456.7");
});

test("values that JSON and doubles cannot hold are shown as what they are", () => {
  expect(formatValue({ float: "NaN" })).toBe("NaN");
  expect(formatValue({ float: "Infinity" })).toBe("∞");
  expect(formatValue({ float: "-Infinity" })).toBe("−∞");
  expect(plain(formatValue({ int: "9223372036854775807" }))).toBe("9_223_372_036_854_775_807");
  expect(plain(formatValue({ int: "-9007199254740993" }))).toBe("−9_007_199_254_740_993");
});

test("strings are shown whole, booleans as Python writes them, no value as a dash", () => {
  expect(formatValue("12400")).toBe("12400");
  expect(formatValue(true)).toBe("True");
  expect(formatValue(null)).toBe("—");
});

test("the exact text has every digit and can be pasted into Python", () => {
  expect(exactText(0.123456789012345)).toBe("0.123456789012345");
  expect(exactText({ int: "-9007199254740993" })).toBe("-9007199254740993");
  expect(exactText({ float: "-Infinity" })).toBe("-Infinity");
  expect(exactText(false)).toBe("False");
  expect(exactText(null)).toBe("");
});

test("durations are hours, minutes and seconds, and days from a day on", () => {
  expect(formatDuration(161.9)).toBe("00:02:41");
  expect(formatDuration(-5)).toBe("00:00:00");
  expect(formatDuration(86_399)).toBe("23:59:59");
  expect(formatDuration(2 * 86_400 + 3723)).toBe("2 d 01:02:03");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [18_234, "18.2 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [90e6, "90.0 MB"],
  [5e15, "5000 TB"],
])("%d bytes are shown as %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("ages are told in the largest whole unit", () => {
  expect([5, 300, 7200, 200_000].map(formatAgo)).toEqual(["just now", "5 min ago", "2 h ago", "2 d ago"]);
});

test("a start of today is a time, of another day has its day, of another year its year", () => {
  const noon = new Date(2026, 10, 24, 12, 0, 5).getTime() / 1000;
  expect(formatStart(noon, noon + 60)).toBe("12:00:05");
  expect(formatStart(noon, noon + 86_400)).toBe("11-24 12:00");
  expect(formatStart(noon, noon + 100 * 86_400)).toBe("2026-11-24");
  expect(formatMoment(noon)).toBe("2026-11-24 12:00:05");
});
