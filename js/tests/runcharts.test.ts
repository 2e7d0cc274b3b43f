import { expect, test } from "vitest";
import { asksForLog, isWithin, placedAxis } from "../src/parallel";
import { axisOf, ranksOf } from "../src/runcharts";
import type { RunsColumn } from "../src/runcolumns";
import { ordered } from "../src/runorder";
import { runRow } from "./states";

const rows = [
  runRow("a", { values: [0.001, "adam", true, 3] }),
  runRow("b", { values: [1, "sgd", null, { float: "NaN" }] }),
  runRow("c", { values: [null, "adam", false, 5] }),
];

test("an axis has numbers by their value, and words by their place in the order in which they came", () => {
  expect(axisOf(rows, "lr", "lr", 0)).toMatchObject({
    values: [0.001, 1, Number.NaN],
    words: null,
    log: true,
  });
  expect(axisOf(rows, "opt", "opt", 1)).toMatchObject({
    values: [0, 1, 0],
    words: ["adam", "sgd"],
    log: false,
  });
  expect(axisOf(rows, "flag", "flag", 2)).toMatchObject({
    values: [0, Number.NaN, 1],
    words: ["True", "False"],
  });
});

test.each([
  [[0.01, 2], true],
  [[0.001, 0.1], true],
  [[1, 90], false],
  [[0, 1e6], false],
  [[-1, 1e6], false],
  [[], false],
  [[Number.NaN, 1e-9, 1], true],
])("numbers like %j ask for a logarithmic axis: %s", (values, log) => {
  expect(asksForLog(values)).toBe(log);
});

test.each([false, true])("a pixel of an axis leads back to its value, logarithmic: %s", (log) => {
  const axis = placedAxis({ id: "x", title: "x", values: [0.01, 10, 100], words: null, log }, 0);
  for (const value of [0.01, 10, 100]) expect(axis.value(axis.place(value))).toBeCloseTo(value, 9);
  expect(axis.place(100)).toBeLessThan(axis.place(0.01));
  expect(axis.place(Number.NaN)).toBeNaN();
});

test("an axis of one value, or of none, or of the largest numbers, has a place for what there is", () => {
  const at = (values: number[]) => placedAxis({ id: "x", title: "x", values, words: null, log: false }, 0);
  for (const values of [[5, 5], [0], [-1e308, 1e308]]) {
    expect(values.every((value) => Number.isFinite(at(values).place(value)))).toBe(true);
  }
  expect(at([]).place(Number.NaN)).toBeNaN();
});

test("a run is within the brushes where each brushed axis has it; without a value it is not", () => {
  const axes = [axisOf(rows, "lr", "lr", 0), axisOf(rows, "opt", "opt", 1)];
  const within = (brushes: [string, readonly [number, number]][]) =>
    rows.map((_, row) => isWithin(axes, new Map(brushes), row));
  expect(within([])).toEqual([true, true, true]);
  expect(within([["lr", [0, 0.1]]])).toEqual([true, false, false]);
  expect(within([["opt", [-0.5, 0.5]]])).toEqual([true, false, true]);
  expect(within([["gone", [5, 6]]])).toEqual([true, true, true]);
});

test("runs rank from the worst to the best by the goal, and those without a value have no rank", () => {
  expect(ranksOf([3, 1, 2, Number.NaN], "minimize")).toEqual([0, 1, 0.5, Number.NaN]);
  expect(ranksOf([3, 1, 2], "maximize")).toEqual([1, 0, 0.5]);
  expect(ranksOf([7], "maximize")).toEqual([1]);
});

test("names sort as people count, whether plain or not, and upper case is no other letter", () => {
  const columns = [{ id: "name", sortBy: ({ name }: { name: string }) => name }] as unknown as RunsColumn[];
  const order = (names: string[]) =>
    ordered(
      names.map((name) => runRow(name)),
      columns,
      { id: "name", direction: "ascending" },
    ).map(({ name }) => name);
  expect(order(["run 10", "Run 9", "run 1"])).toEqual(["run 1", "Run 9", "run 10"]);
  expect(order(["é 10", "é 9", "e 1"])).toEqual(["e 1", "é 9", "é 10"]);
});
