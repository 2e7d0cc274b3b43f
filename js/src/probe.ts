import type { Scale } from "./axis";
import { el, setAttr, setText, show } from "./dom";
import { formatMoment, formatNumber, NONE } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { type Entry, swatchView } from "./legend";
import type { Series } from "./marks";
import type { Spec } from "./plot";

/** The point of one series that is nearest to a place. */
export interface Hit {
  entry: Entry;
  index: number;
  /** Where it is; NaN where it has no value. */
  left: number;
  top: number;
  /** How far from the place: along x for lines, over both axes for points. */
  distance: number;
}

/** Beyond this many pixels from its ends a line has nothing to say. */
const REACH = 24;
const MAX_LISTED = 10;

const offset = (value: number, other: number): number =>
  Number.isNaN(value) ? 1e9 : Math.abs(value - other);

function nearest(entry: Entry, x: Scale, y: Scale, left: number, top: number): Hit | null {
  const { series } = entry;
  const bars = series.kind === "bars";
  const points = series.kind === "points";
  let best: Hit | null = null;
  let second = Infinity;
  let first = Infinity;
  let last = -Infinity;
  for (let index = 0; index < series.y.length; index += 1) {
    let at = x.pixel(series.x[index] as number);
    if (Number.isNaN(at)) continue;
    if (bars) {
      const right = x.pixel(series.x[index + 1] as number);
      if (!(left >= at && left < right)) continue;
      at = (at + right) / 2;
    }
    first = Math.min(first, at);
    last = Math.max(last, at);
    const to = y.pixel(series.y[index] ?? Number.NaN);
    const across = Math.abs(at - left);
    const up = offset(to, top);
    const distance = points ? Math.hypot(across, up) : across;
    // Where a line rises straight up, many points are as near along x.
    if (best === null || distance < best.distance || (distance === best.distance && up < second)) {
      best = { entry, index, left: at, top: to, distance };
      second = up;
    }
  }
  if (!best || bars) return best;
  const near = points ? best.distance <= REACH : left >= first - REACH && left <= last + REACH;
  return near ? best : null;
}

/** What is near a place, the nearest first. */
export function probe(entries: readonly Entry[], x: Scale, y: Scale, left: number, top: number): Hit[] {
  const hits = entries.flatMap((entry) =>
    entry.series.unlisted ? [] : (nearest(entry, x, y, left, top) ?? []),
  );
  return hits.sort((a, b) => a.distance - b.distance || offset(a.top, top) - offset(b.top, top));
}

export function valueText({ kind, y, y2 }: Series, index: number): string {
  const text = (value: number | null | undefined) =>
    value === null || value === undefined ? NONE : formatNumber(value);
  return kind === "band" ? `${text(y[index])} … ${text(y2?.[index])}` : text(y[index]);
}

export function placeText({ x: axis }: Spec, { kind, x }: Series, index: number): string {
  const text = (value = Number.NaN) => (axis.scale === "time" ? formatMoment(value) : formatNumber(value));
  return kind === "bars" ? `${text(x[index])} … ${text(x[index + 1])}` : text(x[index]);
}

/** The box beside the pointer that says what is there. */
export function tipView() {
  const title = el("p", { class: "rw-plot-tip-title" });
  const rows = el("div", { class: "rw-plot-tip-rows" });
  const more = el("p", { class: "rw-muted" });
  const node = el("div", { class: "rw-plot-tip", hidden: "" }, title, rows, more);
  const list = new KeyedList<[Hit, string]>(rows, ([{ entry }]) => entry.series.id, rowView);
  return {
    node,
    /** Says what the hits are, and stands beside `left`, where there is room in `width`. */
    patch(spec: Spec, hits: readonly Hit[], left: number, width: number, isSpoken: boolean) {
      const [first] = hits;
      show(node, first !== undefined);
      if (!first) return;
      const { series } = first.entry;
      const place = placeText(spec, series, first.index);
      setAttr(node, "aria-live", isSpoken ? "polite" : "off");
      setText(title, series.titles?.[first.index] ?? `${spec.x.label} ${place}`.trim());
      const listed = hits.slice(0, MAX_LISTED);
      // In the order of the legend, so that rows do not change places under the pointer.
      listed.sort((a, b) => a.entry.sign - b.entry.sign);
      list.update(
        listed.map((hit) => {
          const own = placeText(spec, hit.entry.series, hit.index);
          return [hit, own === place ? "" : ` at ${own}`];
        }),
      );
      show(more, hits.length > MAX_LISTED);
      setText(more, `+${hits.length - MAX_LISTED} more`);
      node.classList.toggle("rw-plot-tip-left", left > width / 2);
      node.style.setProperty("--rw-plot-at", `${Math.round(left > width / 2 ? width - left : left)}px`);
    },
  };
}

function rowView(): ItemView<[Hit, string]> {
  const swatch = swatchView();
  const name = el("span", { class: "rw-plot-name" });
  const value = el("span", { class: "rw-plot-value" });
  return {
    node: el("div", { class: "rw-plot-tip-row" }, swatch.node, name, value),
    patch([{ entry, index }, where]) {
      swatch.patch(entry.series, entry.sign);
      setText(name, entry.series.label);
      setText(value, (entry.series.text?.(index) ?? valueText(entry.series, index)) + where);
    },
  };
}
