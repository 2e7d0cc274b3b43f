import { el, setAttr, setText, show } from "./dom";
import { exactText, formatValue } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { compareKeys, type Direction, type SortKey } from "./sorting";
import type { Value } from "./wire";

export interface Column<Row> {
  id: string;
  title: string;
  /** Numbers stand right, so that their digits line up. */
  align: "left" | "right";
  /** The cell that names its row to a screen reader. */
  namesRow?: true;
  /** Absent where there is no order to sort by; the title is then for screen readers only. */
  sortBy?: (row: Row) => SortKey;
  /** Builds the inside of an empty cell and gives what brings it up to date. */
  cell: (cell: HTMLElement) => (row: Row) => void;
}

/** A cell of text; `read` gives it and, where it may be cut or rounded, the whole of it for the title. */
export function textCell<Row>(read: (row: Row) => [text: string, full?: string]): Column<Row>["cell"] {
  return (cell) => (row) => {
    const [text, full] = read(row);
    setText(cell, text);
    setAttr(cell, "title", full || null);
  };
}

/** A cell of a logged value; `digits` says how many a number needs, where that is more than usual. */
export function valueCell<Row>(
  read: (row: Row) => Value,
  digits: (row: Row) => number = () => 0,
): Column<Row>["cell"] {
  return (cell) => (row) => {
    const value = read(row);
    setText(cell, formatValue(value, digits(row)));
    setAttr(cell, "title", exactText(value) || null);
    // Words may be cut at less than the width that the longest number needs.
    cell.classList.toggle("rw-words", typeof value === "string");
  };
}

/** A table that sorts by a click on a heading and scrolls in itself under a head that stays. */
export class DataTable<Row> {
  readonly node: HTMLElement;
  readonly #head = el("tr");
  readonly #body = el("tbody");
  readonly #headings: KeyedList<Column<Row>>;
  readonly #rows: KeyedList<Row>;
  #columns: readonly Column<Row>[] = [];
  #given: readonly Row[] = [];
  #sort: { id: string; direction: Direction } | null = null;

  constructor(label: string, keyOf: (row: Row) => string, signal: AbortSignal) {
    this.node = el(
      "div",
      // In the tab order because a scrolling box is else out of reach of the keyboard.
      { class: "rw-table-box", tabindex: 0, role: "region", "aria-label": label },
      el("table", { class: "rw-table" }, el("thead", {}, this.#head), this.#body),
    );
    this.#headings = new KeyedList(
      this.#head,
      ({ id }) => id,
      (column) => headingView(column, () => this.#cycle(column.id), signal),
    );
    this.#rows = new KeyedList(this.#body, keyOf, () => rowView(this.#columns));
  }

  setColumns(columns: readonly Column<Row>[]): void {
    const same =
      columns.length === this.#columns.length && columns.every(({ id }, i) => id === this.#columns[i]?.id);
    if (same) return;
    this.#columns = columns;
    if (!columns.some(({ id }) => id === this.#sort?.id)) this.#sort = null;
    this.#headings.update(columns);
    this.#markSort();
    // A row is built for its columns, so other columns need other rows.
    this.#rows.clear();
  }

  update(rows: readonly Row[]): void {
    this.#given = rows;
    this.#rows.update(this.#sorted());
  }

  /** Brings the rows that `where` picks up to date, in place, for values that change with the clock. */
  refresh(where: (row: Row) => boolean): void {
    this.#rows.refresh(this.#given.filter(where));
  }

  #sorted(): readonly Row[] {
    const sort = this.#sort;
    const sortBy = this.#columns.find(({ id }) => id === sort?.id)?.sortBy;
    if (!sort || !sortBy) return this.#given;
    return this.#given
      .map((row) => ({ row, key: sortBy(row) }))
      .sort((a, b) => compareKeys(a.key, b.key, sort.direction))
      .map(({ row }) => row);
  }

  #cycle(id: string): void {
    const at = this.#sort?.id === id ? this.#sort.direction : null;
    const direction = at === null ? "ascending" : at === "ascending" ? "descending" : null;
    this.#sort = direction && { id, direction };
    this.#markSort();
    this.update(this.#given);
  }

  #markSort(): void {
    this.#columns.forEach((column, index) => {
      const heading = this.#head.children[index];
      const sorted = this.#sort?.id === column.id ? this.#sort.direction : null;
      if (heading && column.sortBy) setAttr(heading, "aria-sort", sorted ?? "none");
    });
  }
}

function classOf<Row>({ align, namesRow }: Column<Row>): string {
  return namesRow ? `rw-${align} rw-names` : `rw-${align}`;
}

function headingView<Row>(column: Column<Row>, sort: () => void, signal: AbortSignal): ItemView<Column<Row>> {
  const attrs = { class: classOf(column), scope: "col" };
  if (!column.sortBy) {
    return { node: el("th", attrs, el("span", { class: "rw-unseen" }, column.title)), patch() {} };
  }
  const button = el(
    "button",
    { class: "rw-sort", type: "button", title: column.title },
    // Isolated, because a heading that stands right is cut at its left, by being written from the right.
    el("span", { class: "rw-sort-title" }, el("bdi", {}, column.title)),
  );
  button.addEventListener("click", sort, { signal });
  return { node: el("th", attrs, button), patch() {} };
}

function rowView<Row>(columns: readonly Column<Row>[]): ItemView<Row> {
  const node = el("tr");
  const patches = columns.map((column) => {
    const { cell, namesRow } = column;
    const attrs = { class: classOf(column) };
    const box = namesRow ? el("th", { ...attrs, scope: "row" }) : el("td", attrs);
    node.append(box);
    return cell(box);
  });
  return {
    node,
    patch(row) {
      for (const patch of patches) patch(row);
    },
  };
}

/** A line of muted text that is there only when it has something to say. */
export function noteView(kind: string): { node: HTMLElement; patch(text: string): void } {
  const node = el("p", { class: kind, role: "status" });
  return {
    node,
    patch(text) {
      setText(node, text);
      show(node, text !== "");
    },
  };
}
