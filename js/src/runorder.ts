/** Which runs are shown, and in which order. */
import type { RunsColumn } from "./runcolumns";
import { compareKeys } from "./sorting";
import type { RunColumn, RunRow, Sorting, StatusGroup } from "./wire";

const words = new WeakMap<RunRow, string>();

/** What is searched of a run: its name, its id, and what it was started with. */
function wordsOf(row: RunRow, columns: readonly RunColumn[]): string {
  let found = words.get(row);
  if (found === undefined) {
    const parts = [row.name, row.run_id, row.number === null ? "" : `#${row.number}`];
    columns.forEach(({ name, source }, place) => {
      const value = row.values[place];
      if (source !== "metric" && value !== null && value !== undefined)
        parts.push(`${name}=${String(value)}`);
    });
    found = parts.join("\n").toLowerCase();
    words.set(row, found);
  }
  return found;
}

/** The runs that have all words of the text, and the status, in their order. */
export function matching(
  rows: readonly RunRow[],
  columns: readonly RunColumn[],
  text: string,
  status: StatusGroup | null,
): readonly RunRow[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0 && status === null) return rows;
  return rows.filter((row) => {
    if (status !== null && row.status_group !== status) return false;
    if (wanted.length === 0) return true;
    const all = wordsOf(row, columns);
    return wanted.every((word) => all.includes(word));
  });
}

/** Rows that are equal keep their order, in either direction. */
export function ordered(
  rows: readonly RunRow[],
  columns: readonly RunsColumn[],
  sort: Sorting | null,
): readonly RunRow[] {
  const sortBy = columns.find(({ id }) => id === sort?.id)?.sortBy;
  if (!sort || !sortBy) return rows;
  const found = rows.map((row) => ({ row, key: sortBy(row), plain: "" }));
  if (found.every(({ key }) => typeof key === "string" && PLAIN.test(key))) {
    for (const one of found) one.plain = plainKey(String(one.key));
    const sign = sort.direction === "ascending" ? 1 : -1;
    found.sort((a, b) => (a.plain === b.plain ? 0 : a.plain < b.plain ? -sign : sign));
  } else found.sort((a, b) => compareKeys(a.key, b.key, sort.direction));
  return found.map(({ row }) => row);
}

const PLAIN = /^[ -~]*$/;

/** What orders a text of plain letters as a collator does, in a tenth of its time: thousands are sorted in a frame. */
const plainKey = (text: string): string =>
  text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(16, "0"));

/** The order after a click on a heading: by it upwards, then downwards, then that of creation. */
export function nextSorting(sort: Sorting | null, id: string): Sorting | null {
  if (sort?.id !== id) return { id, direction: "ascending" };
  return sort.direction === "ascending" ? { id, direction: "descending" } : null;
}
