import { withSign } from "./format";

/**
 * Where an axis has its ticks, and what is written at them: the twin of `runwidgets/watch/ticks.py`;
 * `tests/golden/ticks.json` holds both to one table.
 */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const TIME_STEPS = [
  ...[1, 10, 100].flatMap((scale) => [1, 2, 5].map((lead) => (lead / 1000) * scale)),
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
];
const UNITS: readonly [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];
/** Characters of a tick's text; longer ones are written in another way. */
const LONGEST = 10;
const LONGEST_IN_UNITS = 6;
/** As many places as `toFixed` writes. */
const MOST_PLACES = 100;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const power10 = (power: number): number => Number(`1e${power}`);
const digitsOf = (x: number): number => Math.floor(Math.log10(Math.abs(x)) + 1e-9);

function every(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

function stepOf(span: number, about: number): number {
  const rough = span / about;
  const power = power10(Math.floor(Math.log10(rough)));
  return power * ([1, 2, 5].find((lead) => lead * power >= rough * (1 - 1e-9)) ?? 10);
}

/** Round numbers from `low` to `high`, about so many, one, two or five times a power of ten apart. */
export function ticks(low: number, high: number, about: number, whole = false): number[] {
  const span = high - low;
  if (!(span > Math.max(Math.abs(low) * 1e-14, 1e-300) && span < Infinity)) return [low];
  const step = stepOf(span, about);
  if (whole && step < 1) return every(Math.ceil(low), Math.floor(high), 1);
  const found = every(low, high, step);
  // As -8 to 8, where tens give 0 alone.
  return found.length < 2
    ? ticks(low, high, 2 * about, whole)
    : found.map((tick) => Number(tick.toPrecision(15)));
}

/** Powers of ten, with twos and fives between where there is room. */
export function logTicks(low: number, high: number, about: number): number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Math.ceil(Math.log10(high)) - first;
  const step = Math.max(1, Math.ceil(decades / (2 * about)));
  const found: number[] = [];
  for (let power = first; power <= first + decades; power += step) {
    for (const lead of decades <= 2 ? [1, 2, 5] : [1]) {
      const tick = Number(`${lead}e${power}`);
      if (tick >= low && tick <= high) found.push(tick);
    }
  }
  return found.length > 1 ? found : ticks(low, high, about);
}

/** Round times in seconds since a midnight, and the form to write them in, as `strftime` has it. */
export function dateTicks(low: number, high: number, about: number): [number[], string] {
  const span = Math.max(high - low, 1e-3);
  const step = TIME_STEPS.find((one) => one >= span / about) ?? DAY * stepOf(span / DAY, about);
  let form = span <= 366 * DAY ? "%-d %b" : "%b %Y";
  if (step < 1) form = "%H:%M:%S.%L";
  else if (step < MINUTE) form = "%H:%M:%S";
  else if (step < DAY) form = span <= DAY ? "%H:%M" : "%-d %b %H:%M";
  return [every(low, high, step), form];
}

export function dateText(seconds: number, form: string): string {
  const date = new Date(Math.round(seconds * 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const parts: Record<string, string> = {
    H: two(date.getUTCHours()),
    M: two(date.getUTCMinutes()),
    S: two(date.getUTCSeconds()),
    L: String(date.getUTCMilliseconds()).padStart(3, "0"),
    "-d": String(date.getUTCDate()),
    b: MONTHS[date.getUTCMonth()] ?? "",
    Y: String(date.getUTCFullYear()),
  };
  return form.replace(/%(-?\w)/g, (_, part: string) => parts[part] ?? "");
}

/** Just the digits that tell the ticks apart; where that is long, all but the first as what they are more than it. */
export function tickTexts(values: readonly number[]): string[] {
  const gaps = values.slice(1).map((value, i) => value - (values[i] as number));
  const gap = Math.min(...gaps.filter((one) => one > 0));
  if (gap === Infinity) return values.map(alone);
  const power = digitsOf(gap);
  const largest = Math.max(...values.map(Math.abs));
  const texts = values.map((value) => written(value, power, largest));
  if (Math.max(...texts.map((text) => text.length)) <= LONGEST) return texts;
  const first = values[0] as number;
  const more = values.slice(1).map((value) => {
    const places = Math.max(0, 1 - power);
    return places <= MOST_PLACES ? Number((value - first).toFixed(places)) : value - first;
  });
  const most = Math.max(...more);
  return [inUnits(first) ?? plain(first, power), ...more.map((one) => `+${written(one, power, most)}`)];
}

/** What to write at the ticks of a logarithmic axis, each for itself: 0.001, 1, 10k. */
export function logTickTexts(values: readonly number[]): string[] {
  // Closer than 1, 2, 5: there may be digits that tell them apart.
  const close = values.some((value, i) => i > 0 && value / (values[i - 1] as number) < 1.9);
  return close ? tickTexts(values) : values.map(alone);
}

/** A number that has no neighbours to be told from: four significant digits. */
function alone(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return withSign(String(value));
  return written(value, Math.floor(Math.log10(Math.abs(value))) - 3, Math.abs(value));
}

/** A number to the decimal place `10 ** power`, in the form that suits the `largest` of its axis. */
function written(value: number, power: number, largest: number): string {
  if (value === 0) return "0";
  if (largest < 1e-4 || largest >= 1e15) {
    return withExponent(value, Math.min(16, Math.max(0, digitsOf(value) - power)));
  }
  if (largest < 1e4) return plain(value, power);
  const [unit, letter] = unitOf(value);
  const text = fixed(value / unit, Math.round(Math.log10(unit)) - power) + letter;
  return text.length <= LONGEST_IN_UNITS ? text : plain(value, power);
}

const unitOf = (value: number): [number, string] =>
  UNITS.find(([unit]) => Math.abs(value) >= unit) ?? [1, ""];

/** A number short, as 1.5G, if that is all of it. */
function inUnits(value: number): string | null {
  const [unit, letter] = unitOf(value);
  const text = (value / unit).toFixed(3);
  return Math.abs(value) < 1e15 && Number(text) * unit === value ? withSign(trimmed(text)) + letter : null;
}

function plain(value: number, power: number): string {
  return Math.abs(value) >= 1e15 ? withExponent(value, 16) : fixed(value, -power);
}

function fixed(value: number, places: number): string {
  return withSign(trimmed(value.toFixed(Math.min(MOST_PLACES, Math.max(0, places)))));
}

function withExponent(value: number, digits: number): string {
  const [mantissa = "", exponent = ""] = value.toExponential(digits).split("e");
  return withSign(`${trimmed(mantissa)}e${exponent.replace("+", "")}`);
}

const trimmed = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
