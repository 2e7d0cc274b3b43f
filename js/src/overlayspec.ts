import { formatNumber } from "./format";
import type { LineStore, Rows } from "./linestore";
import type { Series, Spec } from "./plot";
import { smoothed } from "./smoothing";
import type { OverlayControls, OverlayLine, OverlayState } from "./wire";

/** As many as the stylesheet has; lines beyond are dashed. */
const COLORS = 12;
const HEIGHT = 300;
const SPANS = [
  [3 * 86400, 86400, "days"],
  [3 * 3600, 3600, "hours"],
  [180, 60, "minutes"],
] as const;

export const colorOf = (slot: number): string => `var(--rw-series-${slot % COLORS}, #3b76d6)`;

const pale = (color: string): string => `color-mix(in srgb, ${color} 32%, transparent)`;

/** From which length on time since the start counts in what. */
function unitOf(longest: number): readonly [number, string] {
  const found = SPANS.find(([least]) => longest >= least);
  return found ? [found[1], found[2]] : [1, "seconds"];
}

/** x and what belongs to it, in the order of x: of several processes, or a resumed training, steps come as they like. */
function ordered(x: Float64Array, ...rest: Float64Array[]): Float64Array[] {
  const falls = x.some((value, i) => i > 0 && value < (x[i - 1] as number));
  if (!falls) return [x, ...rest];
  const places = Array.from(x.keys()).sort((a, b) => (x[a] as number) - (x[b] as number) || a - b);
  return [x, ...rest].map((row) => Float64Array.from(places, (place) => row[place] as number));
}

function isAlone(rows: Rows): boolean {
  return rows[0].length === 1;
}

function lineSeries(line: OverlayLine, rows: Rows, x: Float64Array, weight: number): Series[] {
  const [at, y, index] = ordered(x, rows[3], rows[0]) as [Float64Array, Float64Array, Float64Array];
  const color = colorOf(line.slot);
  const common = { id: line.id, label: line.label, x: Array.from(at), sign: Math.floor(line.slot / COLORS) };
  const marked = Array.from(y.keys()).filter((i) => !Number.isFinite(y[i]));
  const raw = Array.from(y);
  if (isAlone(rows)) return [{ ...common, kind: "points", color, y: raw, marked, size: 4 }];
  if (weight === 0)
    return [{ ...common, kind: "line", color, y: raw, marked, text: (i) => formatNumber(raw[i] ?? 0) }];
  const soft = smoothed(raw, index, line.width, weight);
  const text = (i: number) => {
    const value = raw[i] ?? Number.NaN;
    return Number.isFinite(value)
      ? `${formatNumber(value)}, smoothed ${formatNumber(soft[i] ?? value)}`
      : formatNumber(value);
  };
  return [
    { ...common, kind: "line", color: pale(color), y: raw, unlisted: true, size: 1 },
    { ...common, kind: "line", color, y: soft, marked, text, size: 1.8 },
  ];
}

function groupSeries(line: OverlayLine, rows: Rows, x: Float64Array, weight: number): Series[] {
  const [, mean, low, high] = rows.map((row) => Array.from(row)) as [number[], number[], number[], number[]];
  const color = colorOf(line.slot);
  const label = `${line.label} (${line.runs} run${line.runs === 1 ? "" : "s"})`;
  const common = { id: line.id, label, x: Array.from(x), sign: Math.floor(line.slot / COLORS) };
  const places = mean.map((_, i) => i);
  const y = weight > 0 ? smoothed(mean, places, 1, weight) : mean;
  const text = (i: number) =>
    `${formatNumber(mean[i] ?? Number.NaN)} (${formatNumber(low[i] ?? Number.NaN)} … ${formatNumber(high[i] ?? Number.NaN)})`;
  return [
    { ...common, kind: "band", color, y: low, y2: high, unlisted: true },
    { ...common, kind: isAlone(rows) ? "points" : "line", color, y, text },
  ];
}

/** What the plot of an overlay shows. */
export function specOf(state: OverlayState, store: LineStore, controls: OverlayControls): Spec {
  const isGroups = state.kind === "groups";
  const axis = isGroups ? state.x_axis : controls.x_axis;
  const which = isGroups ? 0 : axis === "relative" ? 2 : axis === "step" && state.has_steps ? 1 : 0;
  const found = state.lines.flatMap((line) => {
    const rows = store.get(line.id);
    return rows ? [{ line, rows }] : [];
  });
  let label: string = axis === "step" && !state.has_steps ? "index" : axis;
  let unit = 1;
  if (axis === "relative") {
    const longest = found.reduce((most, { rows }) => rows[which].reduce((a, b) => (b > a ? b : a), most), 0);
    const [seconds, name] = unitOf(longest);
    unit = seconds;
    label = `${name} since the start`;
  }
  const make = isGroups ? groupSeries : lineSeries;
  const all = found.flatMap(({ line, rows }) =>
    make(line, rows, unit === 1 ? rows[which] : rows[which].map((value) => value / unit), controls.smoothing),
  );
  // What only goes with a line lies below all lines.
  const series = [...all.filter((one) => one.unlisted), ...all.filter((one) => !one.unlisted)];
  return {
    label: state.metric ?? "",
    x: { label, scale: "linear", whole: axis !== "relative" },
    y: { label: state.metric ?? "", scale: controls.y_scale },
    series,
    height: HEIGHT,
  };
}
