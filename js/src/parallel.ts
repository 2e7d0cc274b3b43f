/** Parallel coordinates: one axis a parameter, one line a run, coloured by how good it is. */
import { el, setAttr, setText, show, svg } from "./dom";
import { formatNumber } from "./format";
import type { Scope } from "./scope";
import { logTicks, logTickTexts, ticks, tickTexts } from "./ticks";

/** An axis: numbers by their value, words by their place among `words`. */
export interface ParallelAxis {
  id: string;
  title: string;
  /** NaN where the run has no value. */
  values: readonly number[];
  words: readonly string[] | null;
  log: boolean;
}

export interface ParallelSpec {
  axes: readonly ParallelAxis[];
  keys: readonly string[];
  names: readonly string[];
  /** From 0, the worst, to 1, the best; NaN for a run that has no value. */
  ranks: readonly number[];
  /** Keys of runs that stand out. */
  chosen: ReadonlySet<string>;
}

/** Which part of each axis is brushed, by the id of the axis; from the least to the greatest. */
export type Brushes = ReadonlyMap<string, readonly [number, number]>;

export interface ParallelOptions {
  /** Other parts of the axes are brushed. */
  onBrush(brushes: Brushes): void;
  onPick(key: string): void;
  onHover(key: string | null): void;
}

const HEIGHT = 250;
const TOP = 34;
const FOOT = 14;
const SIDE = 46;
const SHADES = 12;
const NEAR = 9;
const DRAG = 3;
/** As many words as have room along an axis. */
const MOST_WORDS = 14;

interface Placed extends ParallelAxis {
  left: number;
  low: number;
  high: number;
  /** Pixels from the top; NaN for no value. */
  place(value: number): number;
  value(pixel: number): number;
}

/** Whether numbers are so far apart that an axis of theirs has to be logarithmic. */
export function asksForLog(values: readonly number[]): boolean {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value <= 0) return false;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high / low > 99; // from 0.1 to 0.001 it is a hundred, or a hair less
}

export function placedAxis(axis: ParallelAxis, left: number): Placed {
  let low = Infinity;
  let high = -Infinity;
  for (const value of axis.values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (axis.words) {
    low = -0.5;
    high = axis.words.length - 0.5;
  } else if (!(low <= high)) [low, high] = [0, 1];
  else if (low === high)
    [low, high] = [low - (Math.abs(low) * 0.1 || 0.5), high + (Math.abs(high) * 0.1 || 0.5)];
  const log = axis.log && low > 0;
  const scaled = (value: number) => (log ? Math.log10(value) : value / 2);
  const [from, span] = [scaled(low), scaled(high) - scaled(low)];
  const room = HEIGHT - TOP - FOOT;
  return {
    ...axis,
    log,
    left,
    low,
    high,
    place: (value) =>
      Number.isFinite(value) ? TOP + room * (1 - (scaled(value) - from) / span) : Number.NaN,
    value: (pixel) => {
      const at = from + span * (1 - (pixel - TOP) / room);
      return log ? 10 ** at : at * 2;
    },
  };
}

export function isWithin(axes: readonly ParallelAxis[], brushes: Brushes, row: number): boolean {
  return axes.every(({ id, values }) => {
    const part = brushes.get(id);
    const value = values[row] ?? Number.NaN;
    return !part || (value >= part[0] && value <= part[1]);
  });
}

function ticksOf({ words, log, low, high }: Placed): [number, string][] {
  if (words) {
    const step = Math.ceil(words.length / MOST_WORDS);
    return words.flatMap((word, i): [number, string][] => (i % step === 0 ? [[i, word]] : []));
  }
  const found = log ? logTicks(low, high, 5) : ticks(low, high, 5);
  const texts = log ? logTickTexts(found) : tickTexts(found);
  return found.map((tick, i) => [tick, texts[i] ?? ""]);
}

const shortened = (text: string, most: number) =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

export function parallelView(scope: Scope, { onBrush, onPick, onHover }: ParallelOptions) {
  const canvas = el("canvas", { class: "rw-parallel-lines", "aria-hidden": "true" });
  const front = svg("svg", { class: "rw-parallel-front", role: "img" });
  const axesGroup = svg("g");
  const overGroup = svg("g", { class: "rw-parallel-over" });
  front.append(overGroup, axesGroup);
  const tip = el("div", { class: "rw-parallel-tip", role: "status" });
  const clear = el("button", { class: "rw-button rw-parallel-clear", type: "button" }, "Clear brushes");
  const shade = el("span", { class: "rw-parallel-shade", "aria-hidden": "true" });
  const node = el("div", { class: "rw-parallel" }, canvas, front, tip, clear, shade);
  const brushes = new Map<string, readonly [number, number]>();
  let spec: ParallelSpec | null = null;
  let placed: Placed[] = [];
  let width = 0;
  let hovered: number | null = null;
  let drag: { axis: Placed; from: number; to: number } | null = null;
  show(clear, false);

  /** Colours from worst to best as the page's theme has them; a canvas knows no variables. */
  const shades = (): string[] =>
    Array.from({ length: SHADES }, (_, i) => {
      const share = Math.round((100 * i) / (SHADES - 1));
      shade.style.color = `color-mix(in oklab, var(--rw-parallel-best) ${share}%, var(--rw-parallel-worst))`;
      return getComputedStyle(shade).color;
    });

  const pathOf = (row: number): string => {
    let path = "";
    let open = false;
    for (const axis of placed) {
      const top = axis.place(axis.values[row] ?? Number.NaN);
      if (Number.isNaN(top)) open = false;
      else {
        path += `${open ? "L" : "M"}${axis.left.toFixed(1)},${top.toFixed(1)}`;
        open = true;
      }
    }
    return path;
  };

  function drawLines(): void {
    const pen = canvas.getContext?.("2d");
    if (!spec || !pen || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    pen.scale(ratio, ratio);
    pen.clearRect(0, 0, width, HEIGHT);
    const colors = shades();
    const groups: number[][] = Array.from({ length: SHADES + 1 }, () => []);
    spec.keys.forEach((_, row) => {
      const rank = spec?.ranks[row] ?? Number.NaN;
      const inside = isWithin(placed, brushes, row) && !Number.isNaN(rank);
      groups[inside ? 1 + Math.min(SHADES - 1, Math.floor(rank * SHADES)) : 0]?.push(row);
    });
    const crowd = spec.keys.length > 300;
    groups.forEach((rows, group) => {
      if (rows.length === 0) return;
      pen.strokeStyle = colors[Math.max(0, group - 1)] ?? "";
      pen.globalAlpha = group === 0 ? 0.16 : crowd ? 0.55 : 0.85;
      pen.lineWidth = group === 0 ? 1 : crowd ? 1 : 1.4;
      pen.beginPath();
      for (const row of rows) {
        let open = false;
        for (const axis of placed) {
          const top = axis.place(axis.values[row] ?? Number.NaN);
          if (Number.isNaN(top)) open = false;
          else {
            if (open) pen.lineTo(axis.left, top);
            else pen.moveTo(axis.left, top);
            open = true;
          }
        }
      }
      pen.stroke();
    });
  }

  function drawAxes(): void {
    const room = placed.length > 1 ? (width - 2 * SIDE) / (placed.length - 1) : width;
    const letters = Math.max(4, Math.floor(room / 7));
    axesGroup.replaceChildren(
      ...placed.map((axis) => {
        const { left, id, title } = axis;
        const part = brushes.get(id);
        const group = svg("g", { transform: `translate(${left},0)` });
        const heading = svg("text", { class: "rw-parallel-title", y: 14, "text-anchor": "middle" });
        heading.append(
          shortened(title, letters),
          svg("title", {}, axis.log ? `${title}, logarithmic` : title),
        );
        const line = svg("line", { class: "rw-parallel-axis", y1: TOP, y2: HEIGHT - FOOT });
        const texts = ticksOf(axis).map(([value, text]) => {
          const y = axis.place(value) + 3.5;
          // Those of the last axis stand where no lines are.
          const [x, anchor] = axis === placed.at(-1) ? [6, "start"] : [-6, "end"];
          const tick = svg("text", { class: "rw-parallel-tick", x, y, "text-anchor": anchor });
          tick.append(shortened(text, letters));
          return tick;
        });
        const catcher = svg("rect", {
          class: "rw-parallel-catch",
          x: -14,
          y: TOP - 8,
          width: 28,
          height: HEIGHT - TOP - FOOT + 16,
        });
        setAttr(catcher, "data-axis", id);
        group.append(heading, line, ...texts);
        if (part) {
          const [top, foot] = [axis.place(part[1]), axis.place(part[0])];
          group.append(
            svg("rect", {
              class: "rw-parallel-brush",
              x: -7,
              y: top,
              width: 14,
              height: Math.max(2, foot - top),
            }),
          );
        }
        group.append(catcher);
        return group;
      }),
    );
  }

  function drawOver(): void {
    if (!spec) return;
    const rows = spec.keys.flatMap((key, row) => (spec?.chosen.has(key) ? [row] : []));
    const marks = rows.map((row) => svg("path", { class: "rw-parallel-chosen", d: pathOf(row) }));
    if (hovered !== null) marks.push(svg("path", { class: "rw-parallel-hovered", d: pathOf(hovered) }));
    overGroup.replaceChildren(...marks);
    const last = placed.at(-1);
    const value = hovered === null ? undefined : last?.values[hovered];
    setText(
      tip,
      hovered === null
        ? ""
        : `${spec.names[hovered]}${Number.isFinite(value) ? ` · ${last?.title} ${formatNumber(value ?? 0)}` : ""}`,
    );
  }

  function draw(): void {
    if (!spec) return;
    const { axes } = spec;
    for (const id of [...brushes.keys()]) if (!axes.some((axis) => axis.id === id)) brushes.delete(id);
    const gap = axes.length > 1 ? (width - 2 * SIDE) / (axes.length - 1) : 0;
    placed = axes.map((axis, i) => placedAxis(axis, SIDE + gap * i));
    setAttr(front, "width", Math.max(width, 1));
    setAttr(front, "height", HEIGHT);
    setAttr(
      front,
      "aria-label",
      `Parallel coordinates of ${spec.keys.length} runs over ${axes.map(({ title }) => title).join(", ")}`,
    );
    show(clear, brushes.size > 0);
    if (hovered !== null && hovered >= spec.keys.length) hovered = null;
    drawLines();
    drawAxes();
    drawOver();
  }

  /** The line that passes nearest to a place. */
  function nearest(x: number, y: number): number | null {
    if (!spec) return null;
    const right = placed.findIndex(({ left }) => left >= x);
    const b = placed[right < 0 ? placed.length - 1 : Math.max(1, right)];
    const a = placed[(right < 0 ? placed.length - 1 : Math.max(1, right)) - 1];
    if (!a || !b) return null;
    const share = Math.min(1, Math.max(0, (x - a.left) / (b.left - a.left)));
    let best: number | null = null;
    let least = NEAR;
    for (let row = 0; row < spec.keys.length; row += 1) {
      const top =
        a.place(a.values[row] ?? Number.NaN) * (1 - share) + b.place(b.values[row] ?? Number.NaN) * share;
      const far = Math.abs(top - y);
      if (far < least && isWithin(placed, brushes, row)) {
        least = far;
        best = row;
      }
    }
    return best;
  }

  const at = (event: PointerEvent | MouseEvent): [number, number] => {
    const box = front.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const hover = (row: number | null) => {
    if (row === hovered) return;
    hovered = row;
    drawOver();
    onHover(row === null ? null : (spec?.keys[row] ?? null));
  };
  const brush = () => {
    drawLines();
    drawAxes();
    show(clear, brushes.size > 0);
    onBrush(new Map(brushes));
  };
  const on = (type: string, act: (event: PointerEvent) => void) =>
    front.addEventListener(type, act as EventListener, { signal: scope.signal });
  on("pointerdown", (event) => {
    const id = (event.target as Element).getAttribute("data-axis");
    const axis = placed.find((one) => one.id === id);
    if (!axis || event.button !== 0) return;
    const [, y] = at(event);
    drag = { axis, from: y, to: y };
    front.setPointerCapture?.(event.pointerId);
    event.preventDefault();
  });
  on("pointermove", (event) => {
    const [x, y] = at(event);
    if (!drag) return hover(nearest(x, y));
    drag.to = y;
    if (Math.abs(drag.to - drag.from) < DRAG) return;
    const ends = [drag.from, drag.to].map((pixel) => drag?.axis.value(pixel) ?? 0).sort((a, b) => a - b);
    brushes.set(drag.axis.id, [ends[0] ?? 0, ends[1] ?? 0]);
    brush();
  });
  on("pointerup", (event) => {
    if (!drag) return;
    const { axis, from, to } = drag;
    drag = null;
    front.releasePointerCapture?.(event.pointerId);
    if (Math.abs(to - from) < DRAG && brushes.delete(axis.id)) brush();
  });
  on("pointerleave", () => hover(null));
  on("click", (event) => {
    const key = hovered === null ? undefined : spec?.keys[hovered];
    if (key !== undefined && !(event.target as Element).hasAttribute("data-axis")) onPick(key);
  });
  clear.addEventListener(
    "click",
    () => {
      brushes.clear();
      brush();
    },
    { signal: scope.signal },
  );
  const sized = new ResizeObserver(([entry]) => {
    const now = Math.round(entry?.contentRect.width ?? 0);
    if (now === width || now === 0) return;
    width = now;
    draw();
  });
  sized.observe(node);
  scope.onEnd(() => sized.disconnect());

  return {
    node,
    patch(next: ParallelSpec) {
      spec = next;
      hovered = null;
      draw();
    },
    /** Has a run stand out that is pointed at elsewhere. */
    point(key: string | null) {
      const row = key === null ? -1 : (spec?.keys.indexOf(key) ?? -1);
      hovered = row < 0 ? null : row;
      drawOver();
    },
    chosen(keys: ReadonlySet<string>) {
      if (spec) spec = { ...spec, chosen: keys };
      drawOver();
    },
  };
}
