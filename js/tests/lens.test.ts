import { afterEach, beforeEach, expect, test, vi } from "vitest";
import lensPanel from "../src/lens";
import type { LensChart, LensState } from "../src/wire";
import { HOSTILE, MockModel } from "./model";

const AREA = { left: 50, right: 450, top: 10, bottom: 110, width: 400, height: 100, x: 50, y: 10 };

/** Observers that tests speak for. */
class Observer {
  static readonly all: Observer[] = [];
  readonly targets = new Set<Element>();
  readonly tell: (entries: { target: Element; isIntersecting: boolean }[]) => void;
  constructor(tell: (entries: { target: Element; isIntersecting: boolean }[]) => void) {
    this.tell = tell;
    Observer.all.push(this);
  }
  observe(target: Element) {
    this.targets.add(target);
  }
  unobserve(target: Element) {
    this.targets.delete(target);
  }
  disconnect() {
    this.targets.clear();
  }
}

class Arrival extends Observer {
  override observe(target: Element) {
    super.observe(target);
    queueMicrotask(() => this.targets.has(target) && this.tell([]));
  }
}

const chart = (change: Partial<LensChart> = {}): LensChart => ({
  name: "loss",
  labels: [],
  figure: "figure",
  x: [0, 100],
  drawn_x: null,
  y: [0, 10],
  is_log: false,
  x_label: "step",
  x_is_date: false,
  is_curve: false,
  is_zoomed: false,
  ...change,
});

function lines(values: [number, number][], opacity = 1) {
  const traits: Record<string, unknown> = {
    _model_name: "LinesModel",
    colors: ["rgb(1, 2, 3)"],
    opacities: [opacity],
  };
  return { get: (name: string) => traits[name], mark_data: [{ values: values.map(([x, y]) => ({ x, y })) }] };
}

const RAW = lines([
  [0, 1],
  [25, Number.NaN],
  [50, 5],
  [100, 9],
]);

async function open(charts: LensChart[], marks: object[] = [RAW], gone = false) {
  const root = document.createElement("div");
  root.className = `runwidgets${gone ? " jupyter-widgets-disconnected" : ""}`;
  const host = document.createElement("div");
  const page = document.createElement("div");
  page.className = "rw-page-metrics";
  const grid = document.createElement("div");
  grid.className = "rw-charts";
  page.append(grid);
  root.append(host, page);
  charts.forEach((_, place) => {
    const card = document.createElement("div");
    card.className = `rw-chart rw-place-${place}`;
    const figure = document.createElement("div");
    figure.className = "bqplot";
    const area = document.createElement("i");
    area.className = "plotarea_background";
    area.getBoundingClientRect = () => AREA as DOMRect;
    figure.append(area);
    card.append(figure);
    grid.append(card);
  });
  document.body.append(root);
  const model = new MockModel<{ state: LensState }>({ state: { metrics: charts, system: [] } });
  const manager = { get_model: async () => ({ get: () => marks }) };
  const end = lensPanel.render({
    model: Object.assign(model, { widget_manager: manager }),
    el: host,
  } as never);
  await vi.advanceTimersByTimeAsync(100);
  const find = (selector: string) => root.querySelector<HTMLElement>(selector);
  const figure = (place = 0) => find(`.rw-place-${place} .bqplot`) as HTMLElement;
  const pointer = (type: string, clientX: number, init: object = {}) =>
    figure().dispatchEvent(
      Object.assign(new MouseEvent(type, { bubbles: true, clientX, clientY: 60, button: 0, ...init })),
    );
  const point = async (clientX: number) => {
    pointer("pointermove", clientX); // the first asks for the model
    await vi.advanceTimersByTimeAsync(50);
    pointer("pointermove", clientX);
    await vi.advanceTimersByTimeAsync(50);
  };
  const drag = (from: number, to: number) => {
    pointer("pointerdown", from);
    pointer("pointermove", to);
    pointer("pointerup", to);
  };
  const sent = (kind: string) => model.send.mock.calls.map(([m]) => m).filter((m) => m.kind === kind);
  const press = (key: string, init: object = {}) =>
    figure().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }));
  return { root, model, end, find, figure, pointer, point, drag, sent, press };
}

beforeEach(() => {
  vi.useFakeTimers();
  Observer.all.length = 0;
  vi.stubGlobal("IntersectionObserver", Observer);
  vi.stubGlobal("ResizeObserver", Arrival);
});

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a stroke over a chart asks for the part below it, whichever way it goes; a click asks for nothing", async () => {
  const { drag, sent } = await open([chart({ x: [1000, 2000] })]);
  drag(150, 250);
  drag(250, 150);
  drag(200, 203);
  const part = { kind: "zoom", grid: "metrics", place: 0, name: "loss", low: 1250, high: 1500 };
  expect(sent("zoom")).toEqual([part, part]);
});

test("a stroke ends at the edge of the chart", async () => {
  const { drag, sent } = await open([chart()]);
  drag(250, 900);
  expect(sent("zoom")).toMatchObject([{ low: 50, high: 100 }]);
});

test("the stroke stays until the part is drawn, says that Python is waited for, and Escape takes it away", async () => {
  const { drag, find, model, press } = await open([chart()]);
  drag(150, 250);
  expect(find(".rw-brush")?.style.width).toBe("100px");
  expect(find(".rw-brush-word")?.textContent).toBe("");
  await vi.advanceTimersByTimeAsync(301);
  expect(find(".rw-brush-word")?.textContent).toBe("waiting for Python …");
  model.set("state", { metrics: [chart({ y: [0, 11] })], system: [] }); // another tick
  expect(find(".rw-brush")).not.toBeNull();
  model.set("state", { metrics: [chart({ x: [25, 50], is_zoomed: true })], system: [] });
  expect(find(".rw-brush")).toBeNull();
  drag(150, 250);
  press("Escape");
  expect(find(".rw-brush")).toBeNull();
});

test("without a kernel the stroke says so and asks for nothing", async () => {
  const { drag, find, sent } = await open([chart()], [RAW], true);
  drag(150, 250);
  expect(find(".rw-brush-word")?.textContent).toBe("the kernel is gone");
  expect(sent("zoom")).toEqual([]);
});

test("a double click and Escape show the whole of a chart that is zoomed, and of no other", async () => {
  const { pointer, press, sent, model } = await open([chart()]);
  pointer("dblclick", 200);
  press("Escape");
  expect(sent("zoom")).toEqual([]);
  model.set("state", { metrics: [chart({ is_zoomed: true })], system: [] });
  pointer("dblclick", 200);
  press("Escape");
  expect(sent("zoom")).toMatchObject([
    { low: null, high: null },
    { low: null, high: null },
  ]);
});

test("pointing reads the nearest value that can be placed, and what is smoothed over it", async () => {
  const smooth = lines([
    [0, 1],
    [25, 2],
    [50, 4.5],
    [100, 8],
  ]);
  const { point, find, pointer, root } = await open([chart({ name: HOSTILE })], [lines([[0, 1], [25, Number.NaN], [50, 5], [100, 9]], 0.3), smooth]); // biome-ignore format: one line
  await point(160); // at 27.5: nearest is NaN at 25, then 50
  expect(find(".rw-readout-x")?.textContent).toBe("step 50");
  expect(find(".rw-readout tr")?.textContent).toBe(`${HOSTILE}4.5raw 5`);
  expect(root.querySelector("img")).toBeNull();
  pointer("pointerleave", 0);
  root.dispatchEvent(new MouseEvent("pointerleave"));
  await vi.advanceTimersByTimeAsync(50);
  expect(find(".rw-readout")).toBeNull();
});

test("arrow keys walk over the values, and plus zooms in around the one that is read", async () => {
  const { point, press, find, sent } = await open([chart()]);
  await point(60);
  press("ArrowRight");
  expect(find(".rw-readout-x")?.textContent).toBe("step 0");
  press("ArrowRight");
  expect(find(".rw-readout-x")?.textContent).toBe("step 50");
  press("+");
  expect(sent("zoom")).toMatchObject([{ low: 25, high: 75 }]);
  expect(press("a")).toBe(true); // not ours, and left to others
});

test("it tells which charts are in sight and whether the page is, when that changes and not else", async () => {
  const { sent, root } = await open([chart(), chart({ name: "b" }), chart({ name: "c" })]);
  expect(sent("sight")).toMatchObject([{ is_hidden: false, metrics: [], system: [] }]);
  const crossing = Observer.all.find(({ targets }) => targets.size === 3) as Observer;
  const cards = [...root.querySelectorAll(".rw-chart")] as [Element, Element, Element];
  crossing.tell([
    { target: cards[2], isIntersecting: true },
    { target: cards[0], isIntersecting: true },
  ]);
  await vi.advanceTimersByTimeAsync(50);
  crossing.tell([{ target: cards[1], isIntersecting: false }]);
  await vi.advanceTimersByTimeAsync(50);
  expect(sent("sight").slice(1)).toMatchObject([{ metrics: [0, 2] }]);
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(50);
  expect(sent("sight").slice(2)).toMatchObject([{ is_hidden: true, metrics: [0, 2] }]);
});

test("a chart can be reached by the keyboard and says what it is", async () => {
  const { figure } = await open([chart()]);
  expect(figure().getAttribute("tabindex")).toBe("0");
  expect(figure().getAttribute("aria-label")).toContain("loss");
});

test("after clean-up no listener is left, and the view says that it is gone", async () => {
  const { model, end, drag, sent, find } = await open([chart()]);
  const before = sent("zoom").length;
  end();
  drag(150, 250);
  expect(sent("zoom")).toHaveLength(before);
  expect(model.listenerCount).toBe(0);
  expect(sent("gone")).toHaveLength(1);
  expect(find(".rw-lens-home")).toBeNull();
});
