import type { Scale } from "./axis";

/** One thing that a plot draws. */
export interface Series {
  id: string;
  label: string;
  /** What the legend says beside the label, as a score. */
  detail?: string;
  /** A CSS colour. */
  color: string;
  kind: "line" | "step" | "points" | "band" | "bars";
  /** Of bars the edges: one more than there are bars. */
  x: readonly number[];
  /** What is null or not finite is a gap. */
  y: readonly (number | null)[];
  /** The other edge of a band. */
  y2?: readonly (number | null)[];
  /** Width of a line, radius of points, in pixels. */
  size?: number;
  /** Which points stand out; where such a point has no value, its mark is at the foot of the plot. */
  marked?: readonly number[];
  /** What to say of each point, in place of its x. */
  titles?: readonly string[];
  /** What to say of a point, in place of its value. */
  text?: (index: number) => string;
  /** Whether it only goes with the series of the same id: drawn, and not spoken of in the legend or at the pointer. */
  unlisted?: boolean;
  /** Which dashes or marker it has, so that colour is not its only sign; by default its place in the plot. */
  sign?: number;
}

const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2"];
const MARKERS = [
  "m-1,0a1,1 0 1,0 2,0a1,1 0 1,0 -2,0",
  "m-.9,-.9h1.8v1.8h-1.8z",
  "m0,-1.3l1.2,2.1h-2.4z",
  "m0,-1.4l1.4,1.4l-1.4,1.4l-1.4,-1.4z",
  "m0,1.3l1.2,-2.1h-2.4z",
];
const MAX_PIXEL = 1e5;
/** More points than this are drawn smaller. */
const CROWD = 500;

const cut = (pixel: number): number => Math.round(Math.max(-MAX_PIXEL, Math.min(MAX_PIXEL, pixel)) * 10) / 10;

export const dashOf = (sign: number): string => DASHES[sign % DASHES.length] ?? "";

/** A marker of radius `size` around wherever the path stands. */
export function markerOf(sign: number, size: number): string {
  const path = MARKERS[sign % MARKERS.length] ?? "";
  return path.replace(/[a-z][^a-z]*/g, (part) => {
    const numbers = part.slice(1).split(/[ ,]/);
    // Of an arc the third to fifth number are no lengths.
    const scaled = numbers.map((n, i) =>
      n === "" || (part[0] === "a" && i > 1 && i < 5) ? n : Math.round(Number(n) * size * 10) / 10,
    );
    return part[0] + scaled.join(" ");
  });
}

/** The path of a series. */
export function pathOf(series: Series, sign: number, x: Scale, y: Scale): string {
  if (series.kind === "band") return bandOf(series, x, y);
  if (series.kind === "bars") return barsOf(series, x, y);
  const size = series.size ?? (series.x.length > CROWD ? 2 : 3);
  const marker = series.kind === "points" ? markerOf(sign, size) : "";
  let path = "";
  let joined = false;
  let open = false;
  for (let i = 0; i < series.x.length; i += 1) {
    const at = cut(x.pixel(series.x[i] as number));
    const to = cut(y.pixel(series.y[i] ?? Number.NaN));
    if (Number.isNaN(at) || Number.isNaN(to)) {
      // A line of no length with round ends is drawn as a dot.
      if (open && !joined) path += "h0";
      open = false;
    } else if (marker) {
      path += `M${at},${to}${marker}`;
    } else {
      path += !open ? `M${at},${to}` : series.kind === "step" ? `H${at}V${to}` : `L${at},${to}`;
      joined = open;
      open = true;
    }
  }
  return open && !joined ? `${path}h0` : path;
}

function bandOf({ x: xs, y: ys, y2 = [] }: Series, x: Scale, y: Scale): string {
  let path = "";
  let there = "";
  let back = "";
  const end = () => {
    if (there) path += `M${there.slice(1)}${back}Z`;
    there = back = "";
  };
  xs.forEach((at, i) => {
    const place = cut(x.pixel(at));
    const low = cut(y.pixel(ys[i] ?? Number.NaN));
    const high = cut(y.pixel(y2[i] ?? Number.NaN));
    if (Number.isNaN(place + low + high)) end();
    else {
      there += `L${place},${high}`;
      back = `L${place},${low}${back}`;
    }
  });
  end();
  return path;
}

function barsOf({ x: xs, y: ys }: Series, x: Scale, y: Scale): string {
  const zero = y.pixel(0);
  const foot = cut(Number.isNaN(zero) ? y.pixel(y.range[0]) : zero);
  let path = "";
  ys.forEach((value, i) => {
    const left = cut(x.pixel(xs[i] as number));
    const right = cut(x.pixel(xs[i + 1] as number));
    const top = cut(y.pixel(value ?? Number.NaN));
    if (Number.isNaN(left + right + top)) return;
    // A hair between bars, where they are wide enough to spare it.
    const gap = right - left > 4 ? 1 : 0;
    path += `M${left},${foot}V${top}H${cut(right - gap)}V${foot}Z`;
  });
  return path;
}
