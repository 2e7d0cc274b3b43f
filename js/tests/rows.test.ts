import type { AnyModel } from "@anywidget/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rowsView } from "../src/rows";
import { Scope } from "../src/scope";
import type { RowsReply } from "../src/wire";
import { button, HOSTILE, MockModel } from "./model";
import { rowsOf } from "./states";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

function open() {
  const model = new MockModel({});
  const scope = new Scope();
  const view = rowsView(scope, model as unknown as AnyModel<object>);
  document.body.append(view.node);
  view.toggle("m");
  const texts = (selector: string) =>
    [...view.node.querySelectorAll(selector)].map((node) => node.textContent);
  const buttons = () => [...view.node.querySelectorAll<HTMLElement>("button")];
  const asked = () => model.send.mock.calls.map(([message]) => message);
  const answer = (rows: RowsReply["rows"], change: Partial<RowsReply> = {}) =>
    model.receive({ ...rowsOf(rows, change), id: asked().at(-1).id });
  const anew = (rows: RowsReply["rows"], change: Partial<RowsReply> = {}) => {
    view.refresh();
    answer(rows, change);
  };
  return { ...view, model, scope, texts, buttons, asked, answer, anew };
}

const TEN = Array.from({ length: 10 }, (_, at): [number] => [at]);

test("it opens at the last page, stays there when there is more, and leaves it by its buttons", () => {
  const { asked, answer, buttons, refresh, texts } = open();
  expect(asked()).toMatchObject([{ kind: "rows", name: "m", start: null }]);
  answer([[1], [2]], { start: 20, total: 22 });
  expect(texts(".rw-pager-range")).toEqual(["rows 20–21 of 22"]);
  refresh();
  expect(asked().at(-1)).toMatchObject({ start: null });
  button(buttons(), "Previous rows").click();
  expect(asked().at(-1)).toMatchObject({ start: 10 });
  answer(TEN, { start: 10, total: 22 });
  refresh();
  expect(asked().at(-1)).toMatchObject({ start: 10 });
  answer(TEN, { start: 10, total: 22 });
  button(buttons(), "Next rows").click();
  expect(asked().at(-1)).toMatchObject({ start: null });
});

test("a row is gone to by its number", () => {
  const { asked, answer, node } = open();
  answer(TEN, { start: 0, total: 5000 });
  const jump = node.querySelector<HTMLInputElement>(".rw-jump-to");
  if (!jump) throw new Error("no field");
  for (const [typed, start] of [
    ["1234", 1234],
    ["-3", 0],
    ["99999", 4999],
    ["4990", null],
  ] as const) {
    jump.value = typed;
    jump.dispatchEvent(new Event("change"));
    expect(asked().at(-1)).toMatchObject({ start });
  }
});

test("steps and times stand beside the values, and what is not finite is marked", () => {
  const { answer, anew, texts, node } = open();
  answer([[0.5], [{ float: "NaN" }], [{ float: "-Infinity" }], [true], [null]], {
    steps: [0, 10, null, 20, 30],
  });
  expect(texts("thead th")).toEqual(["#", "step", "value", "time"]);
  expect(texts("tbody td:nth-child(2)")).toEqual(["0", "10", "—", "20", "30"]);
  expect(texts("tbody td:nth-child(3)")).toEqual(["0.5", "⚠ NaN", "⚠ −∞", "True", "—"]);
  expect(node.querySelectorAll(".rw-odd")).toHaveLength(2);
  anew([[1]]);
  expect(texts("thead th")).toEqual(["#", "value", "time"]);
});

test("words are counted, and booleans are a line", () => {
  const { answer, anew, texts, node } = open();
  const history = {
    words: [
      { value: HOSTILE, count: 3 },
      { value: "b", count: 1 },
    ],
    others: 7,
    truth: [],
  };
  answer([[HOSTILE]], { history });
  expect(texts(".rw-history-words > span")).toEqual([`${HOSTILE} × 3`, "b × 1", "others × 7"]);
  expect(node.querySelector("svg")).toBeNull();
  anew([[true]], { history: { words: [{ value: true, count: 2 }], others: 0, truth: [1, 0, null, 0.5] } });
  expect(node.querySelector(".rw-history-chart path")?.getAttribute("d")).toBe(
    "M0.00 2H25.00L25.00 18H50.00M75.00 10H100.00",
  );
  anew([[1]]);
  expect(node.querySelector<HTMLElement>(".rw-history")?.hidden).toBe(true);
  expect(node.querySelectorAll("img, b b")).toHaveLength(0);
});

test("what did not change stays, and with it a selection in it; trouble is told and goes", () => {
  const { answer, refresh, node, texts } = open();
  answer([["a"]]);
  const cell = node.querySelector("tbody td");
  refresh();
  answer([["a"]]);
  expect(node.querySelector("tbody td")).toBe(cell);
  refresh();
  answer([], { trouble: "the store does not answer" });
  expect(texts(".rw-more")).toEqual(["the store does not answer"]);
  expect(node.querySelector("tbody td")).toBe(cell);
  refresh();
  vi.advanceTimersByTime(350);
  expect(texts(".rw-more")).toEqual(["Waiting for Python…"]);
  answer([["a"]]);
  expect(texts(".rw-more")).toEqual([""]);
});

test("all of a metric is downloaded as CSV, under a name that a disk takes", () => {
  const { buttons, asked, toggle } = open();
  toggle("train/loss: 1");
  button(buttons(), "CSV").click();
  expect(asked().at(-1)).toMatchObject({ kind: "download", what: "metric", name: "train/loss: 1", start: 0 });
});

test("after clean-up no listener or timer is left", () => {
  const { scope, model, buttons } = open();
  button(buttons(), "CSV").click();
  scope.end();
  expect([vi.getTimerCount(), model.listenerCount]).toEqual([0, 0]);
});
