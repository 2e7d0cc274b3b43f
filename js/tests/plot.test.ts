import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type PlotOptions, plotView, type Series, type Spec } from "../src/plot";
import { Scope } from "../src/scope";
import { HOSTILE, press } from "./model";
import { layOut, observerCount, resizeAll } from "./sizes";

beforeEach(layOut);
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

const series = (change: Partial<Series> = {}): Series => ({
  id: "loss",
  label: "loss",
  color: "var(--rw-series-0, #3b76d6)",
  kind: "line",
  x: [0, 1, 2, 3],
  y: [4, 3, 2, 1],
  ...change,
});

const spec = (change: Partial<Spec> = {}): Spec => ({
  label: "Loss over steps",
  x: { label: "step", scale: "linear" },
  y: { label: "", scale: "linear" },
  series: [series()],
  ...change,
});

function open(first: Spec, options: PlotOptions = {}) {
  const scope = new Scope();
  const plot = plotView(scope, options);
  document.body.append(plot.node);
  plot.patch(first);
  const all = (selector: string) => [...plot.node.querySelectorAll<HTMLElement>(selector)];
  const find = (selector: string): HTMLElement => {
    const [found] = all(selector);
    if (!found) throw new Error(`nothing matches ${selector}`);
    return found;
  };
  const picture = find(".rw-plot-picture");
  const inside = find(".rw-plot-inside");
  const at = (left: number, top: number): PointerEventInit => ({
    clientX: Number(inside.getAttribute("x")) + 4 + left,
    clientY: Number(inside.getAttribute("y")) + 4 + top,
    button: 0,
    pointerId: 1,
    bubbles: true,
  });
  const point = (type: string, left: number, top = 0) =>
    picture.dispatchEvent(new PointerEvent(type, at(left, top)));
  const d = (selector: string) => find(`.rw-plot-inside ${selector}`).getAttribute("d") ?? "";
  const texts = (selector: string) => all(selector).map((node) => node.textContent);
  const wide = () => Number(inside.getAttribute("width")) - 8;
  return { scope, plot, all, find, picture, point, d, texts, wide };
}

const coordinates = (path: string): number[] => (path.match(/-?[\d.]+/g) ?? []).map(Number);

test("a line goes from edge to edge of the frame, whose axes have round ticks", () => {
  const { d, texts, wide } = open(spec());
  const numbers = coordinates(d(".rw-plot-line"));
  expect(numbers[0]).toBe(0);
  expect(numbers.at(-2)).toBeCloseTo(wide(), 0);
  expect(texts(".rw-plot-tick")).toEqual(["1", "2", "3", "4", "0", "0.5", "1", "1.5", "2", "2.5", "3"]);
});

test("whole numbers have no ticks between them", () => {
  const { texts } = open(spec({ x: { label: "step", scale: "linear", whole: true } }));
  expect(texts(".rw-plot-tick").slice(4)).toEqual(["0", "1", "2", "3"]);
});

test("a value that is missing or not finite breaks the line, and a point alone is a dot", () => {
  const { d } = open(spec({ series: [series({ x: [0, 1, 2, 3, 4], y: [1, null, 2, Number.NaN, 3] })] }));
  expect(d(".rw-plot-line").match(/M/g)).toHaveLength(3);
  expect(d(".rw-plot-line").match(/h0/g)).toHaveLength(3);
  expect(d(".rw-plot-line")).not.toMatch(/NaN|L/);
});

test.each([
  ["one point", [5], [7]],
  ["all equal", [0, 1, 2], [3, 3, 3]],
  ["zeros", [0, 0], [0, 0]],
  ["the greatest numbers", [0, 1], [-1.7e308, 1.7e308]],
  ["infinities", [0, 1, 2], [1, Infinity, 2]],
])("%s can be drawn", (_, x, y) => {
  const { d, find } = open(spec({ series: [series({ x, y })] }));
  expect(d(".rw-plot-line")).toMatch(/^M/);
  expect(d(".rw-plot-line")).not.toMatch(/NaN|Infinity/);
  expect(find(".rw-plot-none").hidden).toBe(true);
});

test.each([
  ["no series", []],
  ["no points", [series({ x: [], y: [] })]],
  ["only gaps", [series({ y: [null, Number.NaN, Infinity, null] })]],
])("%s says that there is no data", (_, given) => {
  const { find } = open(spec({ series: given }));
  expect(find(".rw-plot-none").hidden).toBe(false);
  expect(find(".rw-plot-none").textContent).toBe("no data");
});

test("a logarithmic axis leaves out what it has no place for, and says so", () => {
  const { d, find, plot, texts } = open(
    spec({ y: { label: "", scale: "log" }, series: [series({ y: [100, 0, 1, -1] })] }),
  );
  expect(d(".rw-plot-line").match(/M/g)).toHaveLength(2);
  expect(find(".rw-plot-note").textContent).toBe("⚠ values ≤ 0 are not shown");
  expect(texts(".rw-plot-tick").slice(0, 3)).toEqual(["1", "10", "100"]);
  plot.patch(spec({ y: { label: "", scale: "log" } }));
  expect(find(".rw-plot-note").hidden).toBe(true);
});

test("steps, points, bands and bars each have their form", () => {
  const kinds = [
    series({ id: "a", kind: "step" }),
    series({ id: "b", kind: "points" }),
    series({ id: "c", kind: "band", y2: [5, 4, 3, 2] }),
    series({ id: "d", kind: "bars", x: [0, 1, 2, 3], y: [1, 2, 3] }),
  ];
  const { d, texts } = open(spec({ series: kinds }));
  expect(d(".rw-plot-step")).toMatch(/^M[\d.,]+H[\d.]+V/);
  expect(d(".rw-plot-points").match(/M/g)).toHaveLength(4);
  expect(d(".rw-plot-band")).toMatch(/^M.*Z$/);
  expect(d(".rw-plot-bars").match(/Z/g)).toHaveLength(3);
  expect(texts(".rw-plot-tick")[0]).toBe("0");
});

test("lines differ by dashes and points by markers, not by colour alone", () => {
  const five = [..."abcde"].map((id) => series({ id, label: id }));
  const { all, plot } = open(spec({ series: five }));
  const dashes = all(".rw-plot-inside .rw-plot-line").map((path) => path.getAttribute("stroke-dasharray"));
  expect(new Set(dashes).size).toBe(5);
  expect(all(".rw-plot-swatch path").map((path) => path.getAttribute("stroke-dasharray"))).toEqual(dashes);
  plot.patch(spec({ series: five.map((one) => ({ ...one, kind: "points" as const, x: [0], y: [1] })) }));
  const markers = all(".rw-plot-inside .rw-plot-points").map((path) => path.getAttribute("d"));
  expect(new Set(markers).size).toBe(5);
});

test("a click in the legend hides a line, Shift and a click leave it alone, and again show all", () => {
  const { all, texts } = open(spec({ series: [..."abc"].map((id) => series({ id, label: id })) }));
  const entries = all(".rw-plot-entry");
  const pressed = () => all(".rw-plot-entry").map((entry) => entry.getAttribute("aria-pressed"));
  entries[1]?.click();
  expect(pressed()).toEqual(["true", "false", "true"]);
  expect(all(".rw-plot-inside g")).toHaveLength(2);
  entries[1]?.click();
  const alone = () => entries[2]?.dispatchEvent(new MouseEvent("click", { shiftKey: true, bubbles: true }));
  alone();
  expect(pressed()).toEqual(["false", "false", "true"]);
  alone();
  expect(pressed()).toEqual(["true", "true", "true"]);
  for (const entry of entries) entry.click();
  expect(texts(".rw-plot-none")).toEqual(["all lines are hidden"]);
});

test("what is hidden stays hidden when data comes, and one line alone has no legend", () => {
  const two = () => [series({ id: "a" }), series({ id: "b" })];
  const { all, plot, find } = open(spec({ series: two() }));
  all(".rw-plot-entry")[0]?.click();
  plot.patch(spec({ series: two() }));
  expect(all(".rw-plot-inside g").map((group) => group.dataset.id)).toEqual(["b"]);
  plot.patch(spec());
  expect(find(".rw-plot-legend").hidden).toBe(true);
});

test("the box at the pointer lists the nearest value of each line", () => {
  const { point, find, texts, all, wide } = open(
    spec({ series: [series(), series({ id: "b", label: "b", x: [0, 1.1, 2, 3], y: [1, null, 2, 0.5] })] }),
  );
  expect(find(".rw-plot-tip").hidden).toBe(true);
  point("pointermove", wide() * 0.34);
  expect(find(".rw-plot-tip").hidden).toBe(false);
  expect(texts(".rw-plot-tip-title")).toEqual(["step 1"]);
  expect(texts(".rw-plot-tip-row .rw-plot-name")).toEqual(["loss", "b"]);
  expect(texts(".rw-plot-value")).toEqual(["3", "— at 1.1"]);
  expect(all(".rw-plot-dot")).toHaveLength(1);
  point("pointerleave", 0);
  expect(find(".rw-plot-tip").hidden).toBe(true);
  expect(all(".rw-plot-cross")).toHaveLength(0);
});

test("a point can have a title of its own", () => {
  const titles = ["a", "b", "c", HOSTILE];
  const { point, texts, plot, wide } = open(spec({ series: [series({ kind: "points", titles })] }));
  point("pointermove", wide() * 0.97, 160);
  expect(texts(".rw-plot-tip-title")).toEqual([HOSTILE]);
  expect(plot.node.querySelector("b, img")).toBeNull();
});

test("a drag zooms along x and fits y to what is there; double click, Escape and the button show all again", () => {
  const onZoom = vi.fn();
  const x = Array.from({ length: 101 }, (_, i) => i);
  const { point, picture, find, texts, wide } = open(
    spec({ series: [series({ x, y: x.map((n) => n * n) })] }),
    {
      onZoom,
    },
  );
  const ticks = () => texts(".rw-plot-tick");
  const before = ticks();
  const drag = () => {
    point("pointerdown", wide() * 0.2);
    point("pointermove", wide() * 0.3);
    expect(find(".rw-plot-drag").getAttribute("width")).toBeTruthy();
    point("pointerup", wide() * 0.3);
  };
  drag();
  const [[range]] = onZoom.mock.calls as [[[number, number]]];
  expect(range[0]).toBeCloseTo(20, 1);
  expect(range[1]).toBeCloseTo(30, 1);
  expect(ticks()).toContain("800");
  expect(ticks()).not.toContain("10k");
  const resets = [
    () => picture.dispatchEvent(new MouseEvent("dblclick")),
    () => press(picture, "Escape"),
    () => find(".rw-plot-reset").click(),
  ];
  for (const again of resets) {
    expect(find(".rw-plot-reset").hidden).toBe(false);
    again();
    expect(onZoom).toHaveBeenLastCalledWith(null);
    expect(ticks()).toEqual(before);
    expect(find(".rw-plot-reset").hidden).toBe(true);
    drag();
  }
});

test("a zoom outlives new data, but not another axis", () => {
  const { point, plot, find, wide } = open(spec());
  point("pointerdown", 10);
  point("pointerup", wide() / 2);
  plot.patch(spec({ series: [series({ y: [9, 9, 9, 9] })] }));
  expect(find(".rw-plot-reset").hidden).toBe(false);
  plot.patch(spec({ x: { label: "time", scale: "time" } }));
  expect(find(".rw-plot-reset").hidden).toBe(true);
});

test("Escape with nothing to reset is left to whoever else wants it", () => {
  const { picture } = open(spec());
  const event = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
  picture.dispatchEvent(event);
  expect(event.defaultPrevented).toBe(false);
});

test("a click picks the nearest point, if there is one near", () => {
  const onPick = vi.fn();
  const { point, wide } = open(spec({ series: [series({ kind: "points", x: [0, 10], y: [0, 10] })] }), {
    onPick,
  });
  const click = (left: number, top: number) => {
    point("pointerdown", left, top);
    point("pointerup", left + 1, top);
  };
  click(wide() / 2, 70);
  expect(onPick).not.toHaveBeenCalled();
  click(wide() - 20, 12);
  expect(onPick).toHaveBeenCalledWith("loss", 1);
});

test("arrows walk from point to point, and Enter picks", () => {
  const onPick = vi.fn();
  const { picture, texts, find } = open(spec({ series: [series(), series({ id: "b", x: [1.5], y: [2] })] }), {
    onPick,
  });
  const titles = ["ArrowRight", "ArrowRight", "ArrowRight", "End", "ArrowLeft", "Home"].map((key) => {
    press(picture, key);
    return texts(".rw-plot-tip-title")[0];
  });
  expect(titles).toEqual(["step 0", "step 1", "step 1.5", "step 3", "step 2", "step 0"]);
  expect(find(".rw-plot-tip").getAttribute("aria-live")).toBe("polite");
  press(picture, "Enter");
  expect(onPick).toHaveBeenCalledWith("loss", 0);
});

test("the picture says in words what it shows", () => {
  const { picture, plot } = open(spec());
  expect(picture.getAttribute("role")).toBe("img");
  expect(picture.getAttribute("aria-label")).toBe("Loss over steps: loss; step from 0 to 3; y from 1 to 4");
  plot.patch(spec({ series: [] }));
  expect(picture.getAttribute("aria-label")).toBe("Loss over steps: no data; no data");
});

test("names are text, whatever is in them", () => {
  const hostile = [HOSTILE, `${HOSTILE} 2`].map((label) => series({ id: label, label }));
  const { plot, texts } = open(
    spec({ label: HOSTILE, x: { label: HOSTILE, scale: "linear" }, series: hostile }),
  );
  expect(plot.node.querySelector("b, img")).toBeNull();
  expect(texts(".rw-plot-entry")).toEqual(hostile.map(({ label }) => label));
});

test("the selected line stands out, and so does the one that is pointed at in the legend", () => {
  const { all, plot } = open(spec({ selected: "b", series: [series({ id: "a" }), series({ id: "b" })] }));
  const behind = () => all(".rw-plot-behind").map((group) => group.dataset.id);
  expect(behind()).toEqual(["a"]);
  all(".rw-plot-entry")[0]?.dispatchEvent(new PointerEvent("pointerenter"));
  expect(behind()).toEqual(["b"]);
  all(".rw-plot-entry")[0]?.dispatchEvent(new PointerEvent("pointerleave"));
  plot.patch(spec({ selected: "gone", series: [series({ id: "a" }), series({ id: "b" })] }));
  expect(behind()).toEqual([]);
});

test("points that are marked stand out, at the foot where they have no value", () => {
  const { d } = open(spec({ series: [series({ y: [4, null, 2, 1], marked: [0, 1, 9] })] }));
  expect(d(".rw-plot-marks").match(/M/g)).toHaveLength(2);
  expect(d(".rw-plot-marks")).not.toContain("NaN");
});

test("the diagonal is where y is x", () => {
  const unit = { label: "", scale: "linear", range: [0, 1] } as const;
  const { d, wide } = open(spec({ x: unit, y: unit, diagonal: true }));
  const [left, top, right, bottom] = coordinates(d(".rw-plot-diagonal"));
  expect([left, right, bottom]).toEqual([0, wide(), 0]);
  expect(top).toBeGreaterThan(100);
});

test.each([300, 1600])("at %i pixels all that is drawn lies within the picture", (width) => {
  const { picture, all } = open(spec());
  resizeAll(width);
  expect(picture.getAttribute("width")).toBe(String(width));
  const ends = all(".rw-plot-base").map((line) => Number(line.getAttribute("x2")));
  expect(Math.max(...ends)).toBeLessThan(width);
  expect(all(".rw-plot-tick").length).toBeGreaterThan(width === 300 ? 5 : 10);
});

test("what is not laid out is not drawn", () => {
  const { picture, plot, all } = open(spec());
  resizeAll(0);
  plot.patch(spec());
  expect(picture.getAttribute("width")).toBe("600");
  expect(all(".rw-plot-line")).not.toHaveLength(0);
});

test("each line is one path, however many points it has", () => {
  const x = Array.from({ length: 1000 }, (_, i) => i);
  const many = Array.from({ length: 20 }, (_, n) =>
    series({ id: `${n}`, label: `${n}`, x, y: x.map((i) => Math.sin(i / 50 + n)) }),
  );
  const { all, point } = open(spec({ series: many }));
  expect(all(".rw-plot-inside path")).toHaveLength(20);
  point("pointermove", 200, 60);
  expect(all(".rw-plot-tip-row")).toHaveLength(10);
  expect(all(".rw-plot-tip .rw-muted")[0]?.textContent).toBe("+10 more");
});

test("at the end nothing is observed any more", () => {
  const { scope } = open(spec());
  expect(observerCount()).toBe(1);
  scope.end();
  expect(observerCount()).toBe(0);
});
