import type { AnyModel, RenderProps } from "@anywidget/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import golden from "../../tests/golden/smoothing.json";
import wire from "../../tests/golden/wire.json";
import { LineStore } from "../src/linestore";
import overlayPanel from "../src/overlay";
import { specOf } from "../src/overlayspec";
import { smoothed } from "../src/smoothing";
import type { AllLines, OverlayControls, OverlayState } from "../src/wire";
import { button, HOSTILE, MockModel, press, type } from "./model";
import { layOut } from "./sizes";

const STATE = wire.overlay as unknown as OverlayState;
const CONTROLS: OverlayControls = {
  metric: null,
  group_by: null,
  x_axis: "step",
  y_scale: "linear",
  smoothing: 0,
};

const bytes = (...numbers: number[]): DataView => new DataView(Float64Array.from(numbers).buffer);

/** Two runs: one of three points, one of one point. */
const LINES: AllLines = {
  sequence: 1,
  items: [
    { id: "digits-17", keep: 0, add: 3 },
    { id: "digits-18", keep: 0, add: 1 },
  ],
  data: bytes(0, 1, 2, 10, 20, 30, 1, 2, 300, 5, Number.NaN, 3, 0, 10, 4, 7),
};

beforeEach(() => {
  layOut();
  vi.useFakeTimers();
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function open(change: Partial<OverlayState> = {}, names = ["acc", "loss"], lines = LINES) {
  const model = new MockModel({ state: { ...STATE, ...change }, names, lines, controls: CONTROLS });
  const panel = overlayPanel();
  const props = { model: model as unknown as AnyModel, el: document.createElement("div") };
  document.body.append(props.el);
  // The panel uses model and el; the rest of anywidget's props would be dead weight here.
  const quit = panel.initialize(props as never);
  const end = panel.render(props as unknown as RenderProps<never>);
  vi.advanceTimersByTime(50);
  const all = (selector: string) => [...props.el.querySelectorAll<HTMLElement>(selector)];
  const find = <E extends Element = HTMLElement>(selector: string): E => {
    const found = props.el.querySelector<E>(selector);
    if (!found) throw new Error(`nothing matches ${selector}`);
    return found;
  };
  const next = () => vi.advanceTimersByTime(50);
  const path = (id: string, at = 0) =>
    all(`[data-id="${id}"] path`).filter((node) =>
      /rw-plot-(line|points)/.test(node.getAttribute("class") ?? ""),
    )[at];
  return { model, panel, host: props.el, quit, end, all, find, next, path };
}

const storeOf = (lines: AllLines) => {
  const store = new LineStore();
  store.take(lines);
  return store;
};

// ---- points that come

test("lines are taken whole, and then grow by what is sent", () => {
  const store = storeOf(LINES);
  const grown = {
    kind: "lines" as const,
    sequence: 2,
    items: [
      { id: "digits-17", keep: 2, add: 2 },
      { id: "new", keep: 0, add: 1 },
    ],
  };
  expect(store.patch(grown, bytes(2, 3, 30, 40, 9, 9, 8, 8, 0, 0, 0, 1))).toBe(true);
  expect(store.get("digits-17")?.map((row) => [...row])).toEqual([
    [0, 1, 2, 3],
    [10, 20, 30, 40],
    [1, 2, 9, 9],
    [5, Number.NaN, 8, 8],
  ]);
  expect(store.get("digits-18")).toBeUndefined();
  expect([...(store.get("new")?.[3] ?? [])]).toEqual([1]);
});

test("a line that stays is the same object, so that nothing is copied", () => {
  const store = storeOf(LINES);
  const before = store.get("digits-17");
  store.patch({ kind: "lines", sequence: 2, items: [{ id: "digits-17", keep: 3, add: 0 }] }, bytes());
  expect(store.get("digits-17")).toBe(before);
});

test.each([
  ["one that was missed", 3, 2, bytes(1, 2, 3, 4)],
  ["more points kept than there are", 2, 9, bytes(1, 2, 3, 4)],
  ["bytes that are too few", 2, 2, bytes(1)],
])("a message after %s is not used", (_, sequence, keep, data) => {
  const store = storeOf(LINES);
  expect(store.patch({ kind: "lines", sequence, items: [{ id: "digits-17", keep, add: 1 }] }, data)).toBe(
    false,
  );
  expect(store.sequence).toBe(1);
});

test("a message that was heard already is passed over", () => {
  const store = storeOf(LINES);
  expect(store.patch({ kind: "lines", sequence: 1, items: [] }, undefined)).toBe(true);
  expect(store.get("digits-17")).toBeDefined();
});

test("who has missed a message asks for all, and tells at the start what it has", () => {
  const { model } = open();
  expect(model.send.mock.calls).toEqual([[{ kind: "have", sequence: 1 }]]);
  model.receive({ kind: "lines", sequence: 5, items: [] }, []);
  expect(model.send).toHaveBeenCalledTimes(2);
  model.receive({ kind: "other" });
  expect(model.send).toHaveBeenCalledTimes(2);
});

// ---- what is drawn

test("smoothing is that of the charts", () => {
  for (const { y, index, width, weight, smooth } of golden) {
    const found = smoothed(
      y.map((value) => value ?? Number.NaN),
      index,
      width,
      weight,
    );
    found.forEach((value, i) => {
      if (smooth[i] === null) expect(value).toBeNaN();
      else expect(value).toBeCloseTo(smooth[i] as number, 9);
    });
  }
});

test.each([
  ["step", "step", [10, 20, 30]],
  ["index", "index", [0, 1, 2]],
  ["relative", "minutes since the start", [1 / 60, 2 / 60, 5]],
] as const)("x by %s is %s", (x_axis, label, x) => {
  const spec = specOf(STATE, storeOf(LINES), { ...CONTROLS, x_axis });
  expect([spec.x.label, spec.series[0]?.x]).toEqual([label, x]);
});

test("where no row has a step, an axis of steps counts rows and says so", () => {
  const spec = specOf({ ...STATE, has_steps: false }, storeOf(LINES), CONTROLS);
  expect([spec.x.label, spec.series[0]?.x]).toEqual(["index", [0, 1, 2]]);
});

test("what is not finite is marked, and one point alone is a dot", () => {
  const [many, one] = specOf(STATE, storeOf(LINES), CONTROLS).series;
  expect([many?.marked, many?.kind, one?.kind]).toEqual([[1], "line", "points"]);
});

test("steps that come as they like are put in order", () => {
  const lines = {
    ...LINES,
    items: [{ id: "digits-17", keep: 0, add: 3 }],
    data: bytes(0, 1, 2, 5, 9, 7, 0, 0, 0, 1, 2, 3),
  };
  const [line] = specOf(STATE, storeOf(lines), CONTROLS).series;
  expect([line?.x, line?.y]).toEqual([
    [5, 7, 9],
    [1, 3, 2],
  ]);
});

test("a smoothed line has the raw one pale behind it, and the pointer is told both", () => {
  const spec = specOf(STATE, storeOf(LINES), { ...CONTROLS, smoothing: 0.5 });
  const [raw, soft] = spec.series.filter(({ id }) => id === "digits-17");
  expect([raw?.unlisted, soft?.unlisted, spec.series[0]]).toEqual([true, undefined, raw]);
  expect(soft?.text?.(2)).toMatch(/^3, smoothed 3\.\d+$/);
});

test("a group is a mean with its band, and says of how many runs", () => {
  const state: OverlayState = {
    ...STATE,
    kind: "groups",
    group_by: "tag model",
    lines: [{ id: "model = mlp", label: "model = mlp", slot: 1, width: 1, runs: 3 }],
  };
  const lines = {
    sequence: 1,
    items: [{ id: "model = mlp", keep: 0, add: 2 }],
    data: bytes(0, 1, 5, 6, 4, 5, 7, 9),
  };
  const [band, mean] = specOf(state, storeOf(lines), { ...CONTROLS, group_by: "tag model" }).series;
  expect([band?.kind, band?.y, band?.y2, band?.unlisted]).toEqual(["band", [4, 5], [7, 9], true]);
  expect([mean?.kind, mean?.y, mean?.label]).toEqual(["line", [5, 6], "model = mlp (3 runs)"]);
  expect(mean?.text?.(1)).toBe("6 (5 … 9)");
});

// ---- the panel

test("each run is in the legend by its name, whatever that is", () => {
  const { all, host } = open({
    lines: [...STATE.lines.slice(0, 1), { ...STATE.lines[1], label: HOSTILE } as never],
  });
  expect(all(".rw-plot-entry").map((node) => node.textContent)).toEqual(["mlp baseline", HOSTILE]);
  expect(host.querySelectorAll("img, b, [onerror]")).toHaveLength(0);
});

test("new points are drawn without a state", () => {
  const { model, path, next } = open();
  const before = path("digits-17")?.getAttribute("d");
  const items = [
    { id: "digits-17", keep: 3, add: 1 },
    { id: "digits-18", keep: 1, add: 0 },
  ];
  model.receive({ kind: "lines", sequence: 2, items }, [bytes(3, 40, 400, 1)]);
  next();
  expect(path("digits-17")?.getAttribute("d")).not.toBe(before);
});

test("smoothing, scale and axis of runs are drawn at once, with no answer from Python", () => {
  const { find, all, next, path } = open();
  const before = path("digits-17")?.getAttribute("d");
  button(all("button"), "index").click();
  next();
  expect(path("digits-17")?.getAttribute("d")).toBe(before); // three points at equal distances, either way
  type(find<HTMLInputElement>(".rw-smoothing"), "0.9");
  next();
  expect(all('[data-id="digits-17"]')).toHaveLength(2);
  expect(find(".rw-overlay-wait").textContent).toBe("");
  button(all("button"), "log").click();
  next();
  expect(button(all("button"), "log").getAttribute("aria-pressed")).toBe("true");
});

test("another metric is asked for, and a wait for Python is told of", () => {
  const { model, find, all, next } = open();
  const input = find<HTMLInputElement>("[role=combobox]");
  expect(input.value).toBe("loss");
  input.click();
  expect(all("[role=option]").map((node) => node.textContent)).toEqual(["acc", "loss"]);
  type(input, "AC");
  expect(all("[role=option]").map((node) => node.textContent)).toEqual(["acc"]);
  press(input, "Enter");
  expect(model.get("controls").metric).toBe("acc");
  expect(model.save_changes).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(400);
  expect(find(".rw-overlay-wait").textContent).toBe("waiting for Python…");
  model.set("state", { ...STATE, metric: "acc" });
  next();
  expect(find(".rw-overlay-wait").textContent).toBe("");
});

test("the box for names closes by Escape and keeps what was chosen", () => {
  const { find, model } = open();
  const input = find<HTMLInputElement>("[role=combobox]");
  type(input, "zzz");
  expect(find(".rw-picker-rest").textContent).toBe("none matches");
  press(input, "Enter");
  press(input, "Escape");
  expect([input.value, input.getAttribute("aria-expanded")]).toEqual(["loss", "false"]);
  expect(model.get("controls").metric).toBeNull();
});

test("of very many names the first are listed and the others counted", () => {
  const names = Array.from({ length: 150 }, (_, i) => `metric ${i}`);
  const { find, all } = open({}, names);
  find("[role=combobox]").click();
  expect(all("[role=option]")).toHaveLength(100);
  expect(find(".rw-picker-rest").textContent).toBe("and 50 more: type to narrow");
});

test("runs are grouped by what is chosen, and by nothing again", () => {
  const { find, model } = open();
  const select = find<HTMLSelectElement>(".rw-select");
  expect([...select.options].map((option) => option.textContent)).toEqual(["nothing", "tag model"]);
  select.value = "tag model";
  select.dispatchEvent(new Event("change"));
  expect(model.get("controls").group_by).toBe("tag model");
  select.value = "";
  select.dispatchEvent(new Event("change"));
  expect(model.get("controls").group_by).toBeNull();
});

test.each([
  [0, [], "Select runs in the table to lay their metrics over each other."],
  [1, [], "This run has no metric that can be drawn yet."],
  [2, [], "These runs have no metric that can be drawn yet."],
])("of %i runs without metrics it says so", (chosen, names, said) => {
  const { find } = open({ chosen, metric: null, lines: [] }, names, {
    sequence: 0,
    items: [],
    data: bytes(),
  });
  expect(find(".rw-empty").textContent).toBe(said);
  expect(find(".rw-plot").hidden).toBe(true);
});

test("why the runs cannot be read is told over what was read last", () => {
  const { find, all } = open({ trouble: "the store is away" });
  expect(find(".rw-overlay-trouble").textContent).toBe("⚠ the store is away");
  expect(all(".rw-plot-entry")).toHaveLength(2);
});

test("after clean-up no listener and no element is left", () => {
  const { model, host, end, quit } = open();
  end();
  quit();
  expect([model.listenerCount, host.childNodes.length]).toEqual([0, 0]);
});
