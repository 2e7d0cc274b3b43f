import type { Progress, Value } from "./wire";

export const NONE = "—";
const MINUS = "−";
const MOST_DIGITS = 17;
/** A narrow space that does not break a line. */
const THIN = "\u202f";

/** 12400 as "12 400"; four digits stay together, as is usual in print, and so do fractions and exponents. */
function grouped(text: string): string {
  const [whole = "", rest] = text.split(".");
  if (!/^\d{5,}$/.test(whole)) return text;
  const digits = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  return rest === undefined ? digits : `${digits}.${rest}`;
}

/** A minus as one, also that of an exponent, and five digits or more in groups. */
export function withSign(text: string): string {
  const signed = text.startsWith("-") ? MINUS + grouped(text.slice(1)) : grouped(text);
  return signed.replace("e-", `e${MINUS}`);
}

/** A number short enough for a table, to 4 or 5 significant digits, or `digits`; `exactText` has them all. */
export function formatNumber(x: number, digits = 0): string {
  if (Number.isNaN(x)) return "NaN";
  const size = Math.abs(x);
  if (size === Infinity) return x > 0 ? "∞" : `${MINUS}∞`;
  const huge = size >= 1e10; // longer ones would be cut in a cell, and a cut number reads as another
  if (Number.isInteger(x) && !huge) return withSign(String(x));
  const usual = size < 1 ? 4 : size < 1e5 || huge ? 5 : Math.floor(Math.log10(size)) + 1;
  // Back through Number, which drops the zeros at the end.
  const rounded = Number(x.toPrecision(Math.min(MOST_DIGITS, Math.max(usual, digits))));
  const text = huge || size < 1e-4 ? rounded.toExponential().replace("+", "") : String(rounded);
  return withSign(text);
}

/** With how many digits numbers that differ are written differently; 0 where the usual ones do. */
export function digitsToTell(values: readonly Value[]): number {
  const numbers = [...new Set(values.filter((value) => typeof value === "number"))];
  for (let digits = 0; digits < MOST_DIGITS; digits = Math.max(5, digits) + 1) {
    if (new Set(numbers.map((x) => formatNumber(x, digits))).size === numbers.length) return digits;
  }
  return MOST_DIGITS;
}

export function formatValue(value: Value, digits = 0): string {
  if (value === null) return NONE;
  if (typeof value === "number") return formatNumber(value, digits);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "True" : "False";
  return "int" in value ? withSign(value.int) : formatNumber(Number(value.float));
}

/** Every digit, in a form that can be pasted into Python; the empty string for no value. */
export function exactText(value: Value): string {
  if (value === null) return "";
  if (typeof value === "object") return "int" in value ? value.int : value.float;
  return typeof value === "boolean" ? formatValue(value) : String(value);
}

const two = (n: number): string => String(n).padStart(2, "0");

/** "00:02:41", from a day on "2 d 01:02:03". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const rest = `${two(Math.floor(whole / 3600) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return days > 0 ? `${grouped(String(days))} d ${rest}` : rest;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let size = bytes / 1000;
  let unit = 0;
  // 999.5 would be printed as 1000: then the next unit is the right one.
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size.toFixed(size < 99.95 ? 1 : 0)} ${units[unit]}`;
}

/** "just now", "5 min ago", "3 h ago", "2 d ago". */
export function formatAgo(seconds: number): string {
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** Local date and time, "2026-11-24 03:31:05". */
export function formatMoment(at: number): string {
  const date = new Date(at * 1000);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** As much of the local date and time as tells it apart from `now`; `formatMoment` has all of it. */
export function formatStart(at: number, now: number): string {
  const moment = formatMoment(at);
  const today = formatMoment(now);
  if (moment.slice(0, 10) === today.slice(0, 10)) return moment.slice(11);
  return moment.slice(0, 4) === today.slice(0, 4) ? moment.slice(5, 16) : moment.slice(0, 10);
}

/** "epoch 14 / 30"; where neither unit nor total is known "14 done". */
export function formatProgress({ done, total, unit }: Progress): string {
  const of = total === null ? (unit === "" ? " done" : "") : ` / ${formatNumber(total)}`;
  return `${unit} ${formatNumber(done)}${of}`.trim();
}
