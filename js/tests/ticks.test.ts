import { expect, test } from "vitest";
import table from "../../tests/golden/ticks.json";
import { ticksOf } from "../src/axis";
import { dateText, dateTicks, logTicks, logTickTexts, ticks, tickTexts } from "../src/ticks";

test.each(table)("the ticks of a $scale axis from $low to $high, about $about", (row) => {
  const { scale, low, high, about, whole } = row;
  if (scale === "time") {
    const [found, form] = dateTicks(low, high, about);
    expect([found, form]).toEqual([row.ticks, row.form]);
    return;
  }
  const found = scale === "log" ? logTicks(low, high, about) : ticks(low, high, about, whole);
  expect(found).toEqual(row.ticks);
  expect((scale === "log" ? logTickTexts : tickTexts)(found)).toEqual(row.texts);
});

test.each([
  ["%H:%M:%S.%L", "04:05:06.007"],
  ["%H:%M", "04:05"],
  ["%-d %b %H:%M", "3 Feb 04:05"],
  ["%b %Y", "Feb 2001"],
])("a time in the form %s is %s", (form, text) => {
  expect(dateText(Date.UTC(2001, 1, 3, 4, 5, 6, 7) / 1000, form)).toBe(text);
});

test("times are round on the reader's clock", () => {
  const morning = new Date(2026, 5, 1, 8, 17).getTime() / 1000;
  const found = ticksOf({ label: "", scale: "time" }, [morning, morning + 6 * 3600], 6);
  expect(found.map(([, text]) => text)).toEqual(["09:00", "10:00", "11:00", "12:00", "13:00", "14:00"]);
  expect(new Date((found[0]?.[0] ?? 0) * 1000).getMinutes()).toBe(0);
});
