import { el, setText, show } from "./dom";
import { formatNumber } from "./format";
import { KeyedList } from "./keyed";
import { type Found, pixelOfX, pixelOfY } from "./plotarea";
import type { LensChart } from "./wire";

/** As much of bqplot's models as is read here. */
interface Mark {
  get(trait: string): unknown;
  mark_data?: { values: { x: number | Date; y: number | null }[] }[];
}

interface FigureModel {
  get(trait: "marks"): Mark[] | undefined;
}

export interface Manager {
  get_model?(id: string): Promise<unknown>;
}

/** One line as it is drawn. */
interface DrawnLine {
  label: string;
  color: string;
  values: { x: number | Date; y: number | null }[];
  /** Of the smoothed line over it. */
  smooth: { x: number | Date; y: number | null }[];
}

/** What is read at one place of the axis. */
interface Reading {
  label: string;
  color: string;
  x: number;
  y: number;
  /** Of the smoothed line, where there is one. */
  smooth: number | null;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** A time as the axis below it shows it: bqplot is given the clock on the wall as if it were UTC. */
function formatTime(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** With how many digits a value is told from its neighbours on an axis. */
function digitsOn([low, high]: readonly [number, number], value: number): number {
  const power = Math.log10(Math.abs(value)) - Math.log10(Math.abs(high - low) / 1000);
  return Number.isFinite(power) ? Math.min(9, Math.max(0, Math.ceil(power))) : 0;
}

function nearest(values: DrawnLine["values"], distance: (x: number, y: number) => number): number {
  let best = -1;
  let least = Infinity;
  values.forEach(({ x, y }, index) => {
    // NaN has no place, and neither has the end of a stack that is filled up with its last point.
    if (y === null || !Number.isFinite(y)) return;
    const away = distance(Number(x), y);
    if (away < least) {
      least = away;
      best = index;
    }
  });
  return best;
}

/** Reads the values of a chart out of the models that draw it, and shows those at one place. */
export class Readout {
  readonly #rule = el("div", { class: "rw-rule" });
  readonly #dots = el("div");
  readonly #at = el("div", { class: "rw-readout-x" });
  readonly #rows = el("table");
  readonly #box = el("div", { class: "rw-readout" }, this.#at, this.#rows);
  readonly #list = new KeyedList<Reading>(
    this.#rows,
    ({ label }) => label,
    () => {
      const swatch = el("i", { class: "rw-swatch", "aria-hidden": "true" });
      const label = el("span");
      const value = el("td", { class: "rw-readout-value" });
      const raw = el("td", { class: "rw-readout-raw" });
      return {
        node: el("tr", {}, el("td", {}, swatch, label), value, raw),
        patch: (reading) => {
          swatch.style.backgroundColor = reading.color;
          setText(label, reading.label);
          const { y: range } = this.#found?.chart ?? { y: [0, 1] as [number, number] };
          const text = (x: number) => formatNumber(x, digitsOn(range, x));
          setText(value, text(reading.smooth ?? reading.y));
          setText(raw, reading.smooth === null ? "" : `raw ${text(reading.y)}`);
        },
      };
    },
  );
  readonly node = el("div", { class: "rw-lens", hidden: "" }, this.#rule, this.#dots, this.#box);
  readonly #manager: Manager | undefined;
  readonly #figures = new Map<string, FigureModel | null>();
  #found: Found | null = null;

  constructor(manager: unknown) {
    this.#manager = manager as Manager | undefined;
  }

  hide(): void {
    this.#found = null;
    show(this.node, false);
    this.node.remove();
  }

  /** Shows what is at a point of the window, or at the point of a line `by` so many after that. */
  read(found: Found, pixel: { x: number; y: number }, by = 0): number | null {
    this.#found = found;
    const lines = this.#lines(found.chart);
    const flat = (x: number) => Math.abs(pixelOfX(found, x) - pixel.x);
    const around = (x: number, y: number) => Math.hypot(flat(x), pixelOfY(found, y) - pixel.y);
    const readings: Reading[] = [];
    for (const { label, color, values, smooth } of lines) {
      let index = nearest(values, found.chart.is_curve ? around : flat);
      if (index < 0) continue;
      for (let left = Math.abs(by); left > 0; left -= 1) {
        let next = index + Math.sign(by);
        while (values[next] && !Number.isFinite(values[next]?.y ?? Number.NaN)) next += Math.sign(by);
        if (values[next]) index = next;
      }
      const { x, y } = values[index] as { x: number | Date; y: number };
      readings.push({ label, color, x: Number(x), y, smooth: smooth[index]?.y ?? null });
    }
    if (readings.length === 0) {
      this.hide();
      return null;
    }
    // Lines that have no point here are not read: their nearest is somewhere else.
    const best = readings.reduce((a, b) => (flat(b.x) < flat(a.x) ? b : a));
    const here = readings.filter(({ x }) => Math.abs(flat(x) - flat(best.x)) < 8);
    this.#show(found, best.x, here, pixel);
    return pixelOfX(found, best.x);
  }

  #show(found: Found, x: number, readings: Reading[], pixel: { x: number; y: number }): void {
    const { card, area, chart } = found;
    const frame = card.getBoundingClientRect();
    const at = pixelOfX(found, x);
    const inside = at >= area.left - 1 && at <= area.right + 1;
    setText(this.#at, `${chart.x_label} ${chart.x_is_date ? formatTime(x) : formatNumber(x, 12)}`);
    this.#list.update(readings);
    if (this.node.parentElement !== card) card.append(this.node);
    show(this.node, inside);
    Object.assign(this.#rule.style, {
      left: `${at - frame.left}px`,
      top: `${area.top - frame.top}px`,
      height: `${area.height}px`,
    });
    this.#dots.replaceChildren(
      ...readings.map(({ color, x, y, smooth }) => {
        const dot = el("i", { class: "rw-lens-dot" });
        dot.style.left = `${pixelOfX(found, x) - frame.left}px`;
        dot.style.top = `${pixelOfY(found, smooth ?? y) - frame.top}px`;
        dot.style.backgroundColor = color;
        return dot;
      }),
    );
    // On the side where there is more room, so that it never lies under the pointer.
    const isLeft = at - area.left > area.width / 2;
    const high = Math.min(pixel.y - frame.top, frame.height - this.#box.offsetHeight - 4);
    Object.assign(this.#box.style, {
      left: isLeft ? "" : `${at - frame.left + 12}px`,
      right: isLeft ? `${frame.right - at + 12}px` : "",
      top: `${Math.max(area.top - frame.top, high)}px`,
    });
  }

  #lines(chart: LensChart): DrawnLine[] {
    const figure = chart.figure === null ? null : this.#figures.get(chart.figure);
    if (figure === undefined && chart.figure !== null) this.#fetch(chart.figure);
    const marks = (figure?.get("marks") ?? []).filter((mark) => mark.get("_model_name") === "LinesModel");
    const [raw, smooth] = marks;
    const colors = (raw?.get("colors") ?? []) as string[];
    const isSmooth = (((raw?.get("opacities") ?? []) as number[])[0] ?? 1) < 1;
    return (raw?.mark_data ?? []).map(({ values }, index) => ({
      label: chart.labels[index] ?? chart.name,
      color: colors[index] ?? "",
      values,
      smooth: isSmooth ? (smooth?.mark_data?.[index]?.values ?? []) : [],
    }));
  }

  async #fetch(id: string): Promise<void> {
    this.#figures.set(id, null);
    try {
      const model = await this.#manager?.get_model?.(id);
      if (model) this.#figures.set(id, model as FigureModel);
    } catch {
      // A host that does not give models to others has no values to read; all else works.
    }
  }
}
