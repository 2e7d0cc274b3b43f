import { dateText, dateTicks, logTicks, logTickTexts, ticks, tickTexts } from "./ticks";

export interface Axis {
  label: string;
  /** Times are UTC epoch seconds, and are written on the reader's clock. */
  scale: "linear" | "log" | "time";
  /** From where to where, where that does not follow from the values. */
  range?: readonly [number, number] | undefined;
  /** Whether only whole numbers make sense, as of steps. */
  whole?: boolean;
}

export type Range = readonly [number, number];

/** An axis with its pixels. */
export interface Scale {
  range: Range;
  /** NaN for what has no place on the axis: what is not finite, or not above 0 on a logarithmic one. */
  pixel(value: number): number;
  value(pixel: number): number;
}

/** What can be drawn on it. */
export const fits = (axis: Axis, value: number | null | undefined): value is number =>
  Number.isFinite(value) && (axis.scale !== "log" || (value as number) > 0);

/**
 * From the least to the greatest of the values, and a little beyond: `pad` is a part of the whole. What is all equal, or
 * nothing, gets a range too.
 */
export function rangeOf(axis: Axis, extent: Range, pad: number): Range {
  const log = axis.scale === "log";
  const given = axis.range;
  if (given && given[0] < given[1] && fits(axis, given[0]) && fits(axis, given[1])) return given;
  const [low, high] = extent;
  if (!(low <= high)) return log ? [1, 10] : [0, 1];
  if (log) {
    const factor = low === high ? 2 : (high / low) ** pad;
    return [low / factor || low, Math.min(high * factor, Number.MAX_VALUE)];
  }
  // In halves, because the whole of ±1e308 is more than a number holds.
  const half = high / 2 - low / 2;
  const beyond =
    half > 0 ? 2 * half * pad : axis.whole || axis.scale === "time" ? 0.5 : Math.abs(low) * 0.1 || 0.5;
  return [Math.max(low - beyond, -Number.MAX_VALUE), Math.min(high + beyond, Number.MAX_VALUE)];
}

/** `from` is the pixel of the range's first end, `to` that of the other. */
export function scaleOf(axis: Axis, range: Range, from: number, to: number): Scale {
  const log = axis.scale === "log";
  const place = (value: number) => (log ? Math.log10(value) : value / 2);
  const low = place(range[0]);
  const span = place(range[1]) - low || 1;
  return {
    range,
    pixel: (value) => (fits(axis, value) ? from + ((place(value) - low) / span) * (to - from) : Number.NaN),
    value: (pixel) => {
      const at = low + ((pixel - from) / (to - from)) * span;
      return log ? 10 ** at : at * 2;
    },
  };
}

/** Ticks of a range with their texts, about so many. */
export function ticksOf({ scale, whole }: Axis, [low, high]: Range, about: number): [number, string][] {
  const pair = (found: number[], texts: string[]): [number, string][] =>
    found.map((tick, i) => [tick, texts[i] ?? ""]);
  if (scale === "time") {
    const ahead = -60 * new Date(low * 1000).getTimezoneOffset();
    const [found, form] = dateTicks(low + ahead, high + ahead, about);
    return found.map((tick) => [tick - ahead, dateText(tick, form)]);
  }
  const found = scale === "log" ? logTicks(low, high, about) : ticks(low, high, about, whole);
  return pair(found, scale === "log" ? logTickTexts(found) : tickTexts(found));
}
