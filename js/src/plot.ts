import type { Axis, Range, Scale } from "./axis";
import { fits } from "./axis";
import { el, setAttr, setText, show, svg } from "./dom";
import { axesOf, diagonalOf, type Frame, frameOf, heightOf, noteOf, summaryOf } from "./frame";
import { type Entry, legendView } from "./legend";
import { dashOf, markerOf, pathOf, type Series } from "./marks";
import { Pointer, type Step } from "./pointer";
import { type Hit, probe, tipView } from "./probe";
import type { Scope } from "./scope";

export type { Axis, Range } from "./axis";
export type { Series } from "./marks";

/** What a plot shows. */
export interface Spec {
  /** What it is about, for screen readers. */
  label: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
  /** Whether there is a line where y is x. */
  diagonal?: boolean;
  /** The series that stands out. */
  selected?: string | null;
  /** In pixels; default 220. */
  height?: number;
}

export interface PlotOptions {
  /** A click on a point or line, or Enter on the one at the cursor. */
  onPick?: (id: string, index: number) => void;
  /** The reader has zoomed to a part of the x axis; null for all of it. */
  onZoom?: (range: Range | null) => void;
}

/** How far from a point a click may be. */
const PICK = 30;
/** A little more than the frame is drawn: a dot at its edge is whole. */
const BLEED = 4;

/** A small plot that draws itself as wide as it is: `patch` gives it what to show. */
export function plotView(scope: Scope, { onPick, onZoom }: PlotOptions = {}) {
  const axes = svg("g");
  const inside = svg("svg", { class: "rw-plot-inside" });
  const over = svg("g", { class: "rw-plot-over" });
  const picture = svg("svg", { class: "rw-plot-picture", role: "img", tabindex: 0 }, axes, inside, over);
  const none = el("p", { class: "rw-plot-none" });
  const reset = el("button", { class: "rw-button rw-plot-reset", type: "button" }, "Reset zoom");
  const tip = tipView();
  const page = el("div", { class: "rw-plot-page" }, picture, none, reset, tip.node);
  const note = el("p", { class: "rw-plot-note" });
  const hidden = new Set<string>();
  let spec: Spec | undefined;
  let width = 0;
  let frame: Frame | undefined;
  let zoomed: Range | null = null;
  let entries: Entry[] = [];
  let shown: Entry[] = [];
  let pointed: string | null = null;

  const legend = legendView(scope, {
    toggle(id, alone) {
      if (alone) {
        const others = entries.map(({ series }) => series.id).filter((other) => other !== id);
        const isAlone = !hidden.has(id) && others.every((other) => hidden.has(other));
        hidden.clear();
        if (!isAlone) for (const other of others) hidden.add(other);
      } else if (!hidden.delete(id)) hidden.add(id);
      draw();
    },
    point(id) {
      pointed = id;
      emphasize();
    },
  });
  const node = el("div", { class: "rw-plot" }, legend.node, page, note);

  function draw(): void {
    if (!spec) return;
    entries = spec.series.map((series, i) => ({
      series,
      sign: series.sign ?? i,
      isShown: !hidden.has(series.id),
    }));
    shown = entries.filter(({ isShown }) => isShown);
    legend.patch(entries);
    setAttr(picture, "aria-label", summaryOf(spec, shown));
    const text = noteOf(spec);
    setText(note, text);
    show(note, text !== "");
    show(reset, zoomed !== null);
    if (width === 0) return;
    frame = frameOf(spec, shown, zoomed, width);
    setAttr(picture, "width", width);
    setAttr(picture, "height", heightOf(spec));
    axes.replaceChildren(...axesOf(spec, frame));
    drawSeries(spec, frame);
    drawOver();
  }

  function drawSeries(now: Spec, at: Frame): void {
    const { x, y } = at;
    const box = [-BLEED, -BLEED, at.width + 2 * BLEED, at.height + 2 * BLEED] as const;
    setAttr(inside, "x", at.left - BLEED);
    setAttr(inside, "y", at.top - BLEED);
    setAttr(inside, "width", box[2]);
    setAttr(inside, "height", box[3]);
    setAttr(inside, "viewBox", box.join(" "));
    inside.replaceChildren(...shown.map(({ series, sign }) => seriesView(series, sign, x, y)));
    if (now.diagonal) inside.prepend(svg("path", { class: "rw-plot-diagonal", d: diagonalOf(at) }));
    setText(none, shown.length < entries.length && shown.length === 0 ? "all lines are hidden" : "no data");
    show(none, !shown.some(({ series }) => series.y.some((value) => fits(now.y, value))));
    emphasize();
  }

  /** What is pointed at in the legend, else what is selected, stands out from the rest. */
  function emphasize(): void {
    const chosen = pointed ?? spec?.selected ?? null;
    const exists = shown.some(({ series }) => series.id === chosen);
    for (const group of inside.children) {
      const id = group.getAttribute("data-id");
      group.classList.toggle("rw-plot-behind", exists && id !== null && id !== chosen);
      group.classList.toggle("rw-plot-chosen", exists && id === chosen);
    }
  }

  const hitsAt = (left: number, top: number): Hit[] =>
    frame
      ? probe(shown, frame.x, frame.y, left, top).filter(
          (hit) => hit.left >= -1 && hit.left <= (frame?.width ?? 0) + 1,
        )
      : [];

  /** Crosshair, dots and box, or what is being dragged over. */
  function drawOver(): void {
    const { at, dragged } = pointer;
    const hits = at && !dragged ? hitsAt(at.left, at.top) : [];
    const marks: SVGElement[] = [];
    if (spec && frame) {
      const { left, top, height } = frame;
      const [first] = hits;
      if (dragged) {
        const across = { x: left + dragged[0], width: dragged[1] - dragged[0] };
        marks.push(svg("rect", { class: "rw-plot-drag", y: top, height, ...across }));
      }
      if (first) {
        const x = left + first.left;
        marks.push(svg("line", { class: "rw-plot-cross", x1: x, x2: x, y1: top, y2: top + height }));
      }
      for (const hit of hits) {
        if (!(hit.top >= -1 && hit.top <= height + 1)) continue;
        const dot = svg("circle", { class: "rw-plot-dot", cx: left + hit.left, cy: top + hit.top, r: 3.5 });
        dot.style.setProperty("--rw-plot-color", hit.entry.series.color);
        marks.push(dot);
      }
      tip.patch(spec, hits, left + (first?.left ?? 0), width, at?.byKey ?? false);
    }
    over.replaceChildren(...marks);
  }

  function zoom(range: Range | null): void {
    zoomed = range;
    draw();
  }

  /** To the next place that has a point. */
  function step(to: Step): void {
    if (!frame) return;
    const { x, width: wide, height } = frame;
    const forward = to === "next" || to === "first";
    const from =
      pointer.at && (to === "next" || to === "previous") ? pointer.at.left : forward ? -1 : wide + 1;
    let found = Number.NaN;
    for (const { series } of shown) {
      for (let i = 0; i < series.y.length; i += 1) {
        const near = x.pixel(series.x[i] as number);
        const place = series.kind === "bars" ? (near + x.pixel(series.x[i + 1] as number)) / 2 : near;
        if (!(place >= 0 && place <= wide)) continue;
        const ahead = forward ? place - from : from - place;
        const best = forward ? found - from : from - found;
        if (ahead > 0.01 && !(ahead >= best)) found = place;
      }
    }
    if (Number.isNaN(found)) return;
    const top = hitsAt(found, pointer.at?.top ?? height / 2)[0]?.top || height;
    pointer.at = { left: found, top, byKey: true };
    drawOver();
  }

  const pointer = new Pointer(scope, picture, {
    frame: () => frame,
    moved: drawOver,
    zoom(from, to) {
      if (!frame) return;
      zoom([frame.x.value(from), frame.x.value(to)]);
      onZoom?.(zoomed);
    },
    pick(left, top) {
      const far = (hit: Hit) => Math.hypot(hit.left - left, hit.top - top);
      const [near] = hitsAt(left, top).sort((a, b) => far(a) - far(b));
      if (near && far(near) <= PICK) onPick?.(near.entry.series.id, near.index);
    },
    step,
    unzoom() {
      if (!zoomed) return false;
      zoom(null);
      onZoom?.(null);
      return true;
    },
  });
  reset.addEventListener(
    "click",
    () => {
      // The button goes: who used it by keyboard stays at the plot.
      picture.focus({ preventScroll: true });
      zoom(null);
      onZoom?.(null);
    },
    { signal: scope.signal },
  );
  const sized = new ResizeObserver(([entry]) => {
    const now = Math.round(entry?.contentRect.width ?? 0);
    if (now === width || now === 0) return;
    width = now;
    pointer.at = null;
    draw();
  });
  sized.observe(page);
  scope.onEnd(() => sized.disconnect());

  return {
    node,
    patch(next: Spec) {
      if (next === spec) return;
      // A part of one axis says nothing of another.
      if (next.x.scale !== spec?.x.scale || next.x.label !== spec.x.label) zoomed = null;
      spec = next;
      draw();
    },
    /** Shows a part of the x axis, or with null all of it. */
    zoom,
  };
}

export type PlotView = ReturnType<typeof plotView>;

function seriesView(series: Series, sign: number, x: Scale, y: Scale): SVGElement {
  const { kind, marked = [] } = series;
  const path = svg("path", { class: `rw-plot-${kind}`, d: pathOf(series, sign, x, y) });
  if (kind === "line" || kind === "step") {
    setAttr(path, "stroke-dasharray", dashOf(sign) || null);
    if (series.size) path.style.setProperty("--rw-plot-size", String(series.size));
  }
  const group = svg("g", { "data-id": series.id }, path);
  group.style.setProperty("--rw-plot-color", series.color);
  if (marked.length > 0) {
    const foot = y.pixel(y.range[0]);
    const places = marked.map((index) => {
      const top = y.pixel(series.y[index] ?? Number.NaN);
      return [x.pixel(series.x[index] ?? Number.NaN), Number.isNaN(top) ? foot : top];
    });
    const d = places
      .map(([left, top]) => (Number.isNaN(left) ? "" : `M${left},${top}${markerOf(3, 4)}`))
      .join("");
    group.append(svg("path", { class: "rw-plot-marks", d }));
  }
  return group;
}
