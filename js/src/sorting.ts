import type { Value } from "./wire";

export type SortKey = number | string | null;
export type Direction = "ascending" | "descending";

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** What a logged value sorts by; NaN and no value have no place in an order. */
export function sortKey(value: Value): SortKey {
  if (value === null || typeof value === "string") return value;
  const x = typeof value === "object" ? Number("int" in value ? value.int : value.float) : Number(value);
  return Number.isNaN(x) ? null : x;
}

/** Numbers, then text, then what has no order: the last stays last in either direction. */
export function compareKeys(a: SortKey, b: SortKey, direction: Direction): number {
  const rank = (key: SortKey) => (key === null ? 2 : typeof key === "string" ? 1 : 0);
  const ranks = rank(a) - rank(b);
  if (ranks !== 0) return ranks;
  const sign = direction === "ascending" ? 1 : -1;
  if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -sign : sign;
  return typeof a === "string" && typeof b === "string" ? sign * collator.compare(a, b) : 0;
}
