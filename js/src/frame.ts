import { type Axis, fits, type Range, rangeOf, type Scale, scaleOf, ticksOf } from "./axis";
import { svg } from "./dom";
import { formatMoment, formatNumber } from "./format";
import type { Entry } from "./legend";
import type { Spec } from "./plot";

/** Where a plot draws, in pixels of its picture, and its two scales, in pixels of the frame. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  x: Scale;
  y: Scale;
}

const HEIGHT = 220;
const TOP = 10;
const RIGHT = 14;
/** About how much a character of a tick takes. */
const CHARACTER = 6;
const X_TICK = 80;
const Y_TICK = 36;
const NAMED = 8;

export const heightOf = (spec: Spec): number => spec.height ?? HEIGHT;

const isSome = ([low, high]: Range): boolean => low <= high;

/** From the least to the greatest of what is shown; where `within`, of the points there. */
function extentOf(spec: Spec, entries: readonly Entry[], which: "x" | "y", within: Range | null): Range {
  let low = Infinity;
  let high = -Infinity;
  const take = (value: number | null | undefined) => {
    if (!fits(spec[which], value)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const { series } of entries) {
    if (which === "y" && series.kind === "bars") take(0);
    for (const values of which === "x" ? [series.x] : [series.y, series.y2 ?? []]) {
      values.forEach((value, i) => {
        const at = series.x[i] as number;
        if (!within || (at >= within[0] && at <= within[1])) take(value);
      });
    }
  }
  return [low, high];
}

export function frameOf(spec: Spec, shown: readonly Entry[], zoomed: Range | null, width: number): Frame {
  const some = (kind: string) => shown.some(({ series }) => series.kind === kind);
  const across = zoomed ?? rangeOf(spec.x, extentOf(spec, shown, "x", null), some("points") ? 0.03 : 0);
  const near = extentOf(spec, shown, "y", zoomed);
  const extent = isSome(near) ? near : extentOf(spec, shown, "y", null);
  let up = rangeOf(spec.y, extent, 0.05);
  // Bars stand on the axis.
  if (some("bars") && !spec.y.range && extent[0] === 0) up = [0, up[1]];
  const top = TOP + (spec.y.label ? 14 : 0);
  const height = Math.max(40, heightOf(spec) - top - (spec.x.label ? 36 : 22));
  const texts = ticksOf(spec.y, up, Math.max(2, height / Y_TICK)).map(([, text]) => text.length);
  const left = Math.min(Math.max(2, ...texts) * CHARACTER + 12, width / 3);
  const wide = Math.max(20, width - left - RIGHT);
  return {
    left,
    top,
    width: wide,
    height,
    x: scaleOf(spec.x, across, 0, wide),
    y: scaleOf(spec.y, up, height, 0),
  };
}

function textAt(x: number, y: number, anchor: string, text: string, kind = "tick"): SVGElement {
  return svg("text", { class: `rw-plot-${kind}`, x, y, "text-anchor": anchor }, text);
}

function lineAt(kind: string, x1: number, x2: number, y1: number, y2: number): SVGElement {
  return svg("line", { class: `rw-plot-${kind}`, x1, x2, y1, y2 });
}

/** Grid, ticks, and what the axes are. */
export function axesOf(spec: Spec, { left, top, width, height, x, y }: Frame): SVGElement[] {
  const right = left + width;
  const foot = Math.round(top + height) + 0.5;
  const rows = ticksOf(spec.y, y.range, Math.max(2, height / Y_TICK)).flatMap(([value, text]) => {
    const at = Math.round(top + y.pixel(value)) + 0.5;
    return [lineAt("grid", left, right, at, at), textAt(left - 6, at + 3, "end", text)];
  });
  const columns = ticksOf(spec.x, x.range, Math.max(2, width / X_TICK)).flatMap(([value, text]) => {
    const at = Math.round(left + x.pixel(value)) + 0.5;
    // What is at an edge stands within the picture.
    const half = (text.length * CHARACTER) / 2;
    const place = Math.max(half, Math.min(right + RIGHT - half, at));
    return [lineAt("grid", at, at, foot, foot + 4), textAt(place, foot + 15, "middle", text)];
  });
  return [
    ...rows,
    ...columns,
    lineAt("base", left, right, foot, foot),
    textAt(right, foot + 30, "end", spec.x.label, "axis"),
    textAt(4, 13, "start", spec.y.label, "axis"),
  ];
}

/** The line where y is x. */
export function diagonalOf({ x, y }: Frame): string {
  const low = Math.max(x.range[0], y.range[0]);
  const high = Math.min(x.range[1], y.range[1]);
  return low < high ? `M${x.pixel(low)},${y.pixel(low)}L${x.pixel(high)},${y.pixel(high)}` : "";
}

/** What is to be said of values that have no place on a logarithmic axis. */
export function noteOf({ x, y, series }: Spec): string {
  const lost = ({ scale }: Axis, values: readonly (number | null)[]) =>
    scale === "log" && values.some((value) => value !== null && value <= 0);
  return series.some((one) => lost(x, one.x) || lost(y, one.y)) ? "⚠ values ≤ 0 are not shown" : "";
}

/** A plot in words. */
export function summaryOf(spec: Spec, shown: readonly Entry[]): string {
  const span = (which: "x" | "y") => {
    const axis = spec[which];
    const extent = extentOf(spec, shown, which, null);
    const [low, high] = extent.map(axis.scale === "time" ? formatMoment : (value) => formatNumber(value));
    return isSome(extent) ? `${axis.label || which} from ${low} to ${high}` : "no data";
  };
  const listed = shown.filter(({ series }) => !series.unlisted);
  const names = listed.slice(0, NAMED).map(({ series }) => series.label);
  if (listed.length > NAMED) names.push(`${listed.length - NAMED} more`);
  return `${spec.label}: ${[names.join(", "), span("x"), span("y")].filter(Boolean).join("; ")}`;
}
