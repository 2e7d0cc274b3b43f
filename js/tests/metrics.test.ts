import { afterEach, beforeEach, expect, test, vi } from "vitest";
import metricsPanel from "../src/metrics";
import { sparkPaths } from "../src/spark";
import { button, HOSTILE, mount, type } from "./model";
import { controls, metric, metrics } from "./states";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

const open = (state: ReturnType<typeof metrics>, change: Parameters<typeof controls>[0] = {}) =>
  mount(metricsPanel, { state, controls: controls(change) });

const LOSSES = metrics([metric("train/loss"), metric("val/loss"), metric("accuracy")]);

test("the filter narrows the rows at once and reaches Python after a pause, on the first page", () => {
  const { find, texts, model } = open(LOSSES, { page: 2 });
  const filter = find<HTMLInputElement>(".rw-filter");
  type(filter, "Lo");
  vi.advanceTimersByTime(149);
  type(filter, "LOSS");
  expect(texts("tbody th")).toEqual(["train/loss", "val/loss"]);
  vi.advanceTimersByTime(149);
  expect(model.save_changes).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(model.save_changes).toHaveBeenCalledOnce();
  expect(model.get("controls")).toEqual(controls({ filter: "LOSS", page: 0 }));
});

test("the filter keeps its focus, text and caret while states and controls arrive", () => {
  const { find, model } = open(LOSSES);
  const filter = find<HTMLInputElement>(".rw-filter");
  filter.focus();
  type(filter, "los");
  vi.advanceTimersByTime(150);
  filter.setSelectionRange(1, 1);
  model.set("state", metrics([metric("val/loss"), metric("train/loss")]));
  model.set("controls", controls({ filter: "set by Python" }));
  expect(document.activeElement).toBe(filter);
  expect([filter.value, filter.selectionStart]).toEqual(["los", 1]);
});

test("what Python sets is shown where nobody types, and after the box is left", () => {
  const { find, model } = open(LOSSES);
  const filter = find<HTMLInputElement>(".rw-filter");
  model.set("controls", controls({ filter: "loss", smoothing: 0.5, x_axis: "time", y_scale: "log" }));
  expect(filter.value).toBe("loss");
  expect(find(".rw-smoothing-value").textContent).toBe("0.50");
  filter.focus();
  model.set("controls", controls({ filter: "acc" }));
  expect(filter.value).toBe("loss");
  filter.blur();
  expect(filter.value).toBe("acc");
});

test("smoothing shows its value at once and is sent at most every 60 ms", () => {
  const { find, model } = open(LOSSES);
  const slider = find<HTMLInputElement>(".rw-smoothing");
  for (const value of ["0.3", "0.5", "0.9"]) type(slider, value);
  expect(find(".rw-smoothing-value").textContent).toBe("0.90");
  expect(model.save_changes).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60);
  expect(model.save_changes).toHaveBeenCalledOnce();
  expect(model.get("controls").smoothing).toBe(0.9);
});

test("axis, scale and columns are pressed buttons that set one control each", () => {
  const { all, model } = open(LOSSES);
  for (const label of ["relative", "log", "3"]) button(all(".rw-choice"), label).click();
  expect(model.get("controls")).toEqual(controls({ x_axis: "relative", y_scale: "log", columns: 3 }));
  const pressed = all(".rw-choice[aria-pressed=true]").map((node) => node.textContent);
  expect(pressed).toEqual(["relative", "log", "3"]);
});

test("a heading sorts up, down and not at all; NaN and no value stay last", () => {
  const rows = [
    metric("a", { last: { float: "NaN" } }),
    metric("b", { last: 10 }),
    metric("c", { last: { int: "9007199254740993" } }),
    metric("d", { last: { float: "-Infinity" } }),
    metric("e", { last: "text", kind: "text" }),
  ];
  const { all, texts } = open(metrics(rows));
  const sort = button(all(".rw-sort"), "last");
  const order = () => {
    sort.click();
    return [sort.closest("th")?.getAttribute("aria-sort"), texts("tbody th").join("")];
  };
  expect(order()).toEqual(["ascending", "dbcea"]);
  expect(order()).toEqual(["descending", "cbdea"]);
  expect(order()).toEqual(["none", "abcde"]);
});

test("a sort holds over new states, and rows keep their elements", () => {
  const { all, texts, model } = open(metrics([metric("a", { last: 1 }), metric("b", { last: 2 })]));
  const first = all("tbody tr")[0];
  button(all(".rw-sort"), "last").click();
  model.set("state", metrics([metric("a", { last: 5 }), metric("b", { last: 2 }), metric("c", { last: 3 })]));
  expect(texts("tbody th")).toEqual(["b", "c", "a"]);
  expect(all("tbody tr")[2]).toBe(first);
});

test("a row shows name and column, rounded values with exact titles, and marks", () => {
  const row = metric("Sine", {
    column: "angle",
    last: 0.123456,
    min: { float: "-Infinity" },
    max: null,
    count: 12_400,
    nan_count: 3,
    inf_count: 2,
  });
  const { texts, all } = open(metrics([row]));
  expect(texts("tbody th")).toEqual(["Sine · angle"]);
  expect(texts("tbody td")).toEqual(["0.1235", "−∞", "—", "12\u202f400", "", "⚠ 3 NaN, 2 Inf", "rows"]);
  expect(all("tbody td")[0]?.title).toBe("0.123456");
});

test("metrics that differ only in column are rows of their own", () => {
  const rows = [metric("t", { column: "a" }), metric("t", { column: "b" }), metric("t")];
  expect(open(metrics(rows)).texts("tbody th")).toEqual(["t · a", "t · b", "t"]);
});

test("a sparkline breaks where a value is missing and dots a lone point", () => {
  const { line, dots } = sparkPaths([0, 100, null, 50, null, 0, 0]);
  expect(line.match(/M/g)).toHaveLength(2);
  expect(line.match(/L/g)).toHaveLength(2);
  expect(dots).toMatch(/^M[\d.]+,9\.0h0$/);
  expect(sparkPaths([50])).toEqual({ line: "", dots: "M42.0,9.0h0" });
  expect(sparkPaths([null, null])).toEqual({ line: "", dots: "" });
});

test("the pager is there for several pages only, and stops at both ends", () => {
  const many = { ...LOSSES, chart_count: 40, page_size: 12, page_count: 4 };
  const { find, all, model } = open(many);
  const [back, on] = all(".rw-pager button");
  expect(find(".rw-pager-range").textContent).toBe("charts 1–12 of 40");
  back?.click();
  expect(model.save_changes).not.toHaveBeenCalled();
  // Python may be slow to draw: the clicks count from the page asked for.
  for (let i = 0; i < 5; i += 1) on?.click();
  expect(model.get("controls").page).toBe(3);
  model.set("state", { ...many, page: 3 });
  expect(find(".rw-pager-range").textContent).toBe("charts 37–40 of 40");
  expect(on?.getAttribute("aria-disabled")).toBe("true");
  model.set("state", LOSSES);
  expect(find(".rw-pager").hidden).toBe(true);
});

test("rows that were left out are told", () => {
  const { find, model } = open(metrics([metric("a")], { total: 20_000, matching: 10_000 }));
  expect(find(".rw-more").textContent).toBe("showing 1 of 10\u202f000: filter to narrow");
  model.set("state", metrics([metric("a")]));
  expect(find(".rw-more").hidden).toBe(true);
});

test("no metrics and no match are told apart", () => {
  const { find, model } = open(metrics([]));
  expect(find(".rw-yet").textContent).toBe("No metrics yet. They appear here with run.log(name, value).");
  expect(find(".rw-toolbar").hidden).toBe(true);
  model.set("state", metrics([metric("loss")]));
  expect(find(".rw-empty").hidden).toBe(true);
  type(find<HTMLInputElement>(".rw-filter"), "zzz");
  expect(find(".rw-empty").textContent).toBe("No metric matches “zzz”.");
});

test("the rows of each metric are shown on demand, and asked for anew when there may be more", () => {
  const { all, find, model } = open(metrics([metric("note", { kind: "text", last: "c" }), metric("loss")]));
  expect(all(".rw-rows-button").map((one) => one.getAttribute("aria-label"))).toEqual([
    "Rows of note",
    "Rows of loss",
  ]);
  button(all("button"), "Rows of loss").click();
  expect(model.send).toHaveBeenLastCalledWith({
    kind: "rows",
    name: "loss",
    start: null,
    id: expect.any(String),
  });
  model.set("state", metrics([metric("loss")]));
  expect(model.send).toHaveBeenCalledTimes(2);
  button(all("button"), "Rows of loss").click();
  expect(find(".rw-rows").childNodes).toHaveLength(0);
  model.set("state", metrics([metric("loss", { count: 9 })]));
  expect(model.send).toHaveBeenCalledTimes(2);
});

test("controls of charts are there where there are charts, and a filter where there is something to filter", () => {
  const { find, model } = open(metrics([metric("a")], { chart_count: 0 }));
  expect(find(".rw-toolbar").hidden).toBe(true);
  const many = [..."abcdef"].map((name) => metric(name));
  model.set("state", metrics(many, { chart_count: 0 }));
  expect([find(".rw-filter").hidden, find(".rw-field").hidden]).toEqual([false, true]);
  type(find<HTMLInputElement>(".rw-filter"), "b");
  expect(find(".rw-field").hidden).toBe(false);
  model.set("state", metrics([metric("a")]));
  expect([find(".rw-toolbar").hidden, find(".rw-field").hidden]).toEqual([false, false]);
});

test("names and values that look like markup are shown as text", () => {
  const { host, texts } = open(metrics([metric(HOSTILE, { column: HOSTILE, kind: "text", last: HOSTILE })]));
  expect(host.querySelectorAll("img, b").length).toBe(0);
  expect(texts("tbody th")).toEqual([`${HOSTILE} · ${HOSTILE}`]);
});

test("after clean-up no listener, timer or element is left, and a filter under way is dropped", () => {
  const { host, find, all, model, end } = open(LOSSES);
  const choice = button(all(".rw-choice"), "log");
  type(find<HTMLInputElement>(".rw-filter"), "x");
  type(find<HTMLInputElement>(".rw-smoothing"), "0.5");
  expect(vi.getTimerCount()).toBe(2);
  end();
  expect(vi.getTimerCount()).toBe(0);
  expect(model.listenerCount).toBe(0);
  expect(host.childNodes.length).toBe(0);
  choice.click();
  expect(model.save_changes).not.toHaveBeenCalled();
});

test("a patch changes the rows that it names, where they stand, and the numbers around them", () => {
  const { model, texts, find } = mount(metricsPanel, {
    state: metrics([metric("a"), metric("b")], { version: 4 }),
    controls: controls(),
  });
  const first = find("tbody tr");
  const { kind: _, ...around } = { kind: 0, ...metrics([], { version: 5, total: 2, matching: 9 }) };
  model.receive({ kind: "patch", ...around, rows: [[1, metric("b", { last: 7 })]] });
  expect(texts("tbody tr td:nth-child(2)")).toEqual(["1", "7"]);
  expect(find("tbody tr")).toBe(first);
  expect(find(".rw-more").textContent).toBe("showing 2 of 9: filter to narrow");
  expect(model.send).not.toHaveBeenCalledWith({ kind: "whole" });
});

test("a patch that was overtaken is left out, and one after a gap asks for all of the state", () => {
  const { model, texts } = mount(metricsPanel, {
    state: metrics([metric("a")], { version: 4 }),
    controls: controls(),
  });
  model.receive({ kind: "patch", version: 4, rows: [[0, metric("a", { last: 7 })]] });
  model.receive({ kind: "patch", version: 6, rows: [[0, metric("a", { last: 8 })]] });
  model.receive(null);
  expect(texts("tbody tr td:nth-child(2)")).toEqual(["1"]);
  expect(model.send).toHaveBeenCalledWith({ kind: "whole" });
  model.set("state", metrics([metric("a", { last: 9 })], { version: 6 }));
  expect(texts("tbody tr td:nth-child(2)")).toEqual(["9"]);
});
