import { el, hasFocus, setAttr, setText, show } from "./dom";
import type { Direction } from "./sorting";

/** Height of a row in pixels; the stylesheet has the same. */
export const ROW = 28;
/** Rows that the stylesheet lets be seen, the head among them. */
const MOST_SEEN = 14;
/** Rows that are there above and below those that can be seen, for a wheel that turns fast. */
const SPARE = 6;
/** How much of a box is seen that has no layout. */
const UNKNOWN_HEIGHT = 400;

export interface GridColumn<Row> {
  id: string;
  title: string;
  hint?: string;
  align: "left" | "right";
  /** At least so many pixels; what is left over is shared out in proportion. */
  width: number;
  namesRow?: true;
  canSort: boolean;
  /** Builds the inside of an empty cell and gives what brings it up to date. */
  cell: (cell: HTMLElement) => (row: Row) => void;
}

export interface GridActions<Row> {
  keyOf(row: Row): string;
  nameOf(row: Row): string;
  open(row: Row): void;
  sort(id: string): void;
  /** The pointer is over another row, or over none. */
  hover(row: Row | null): void;
  /** Selects or lets go of rows. */
  select(keys: readonly string[], selected: boolean): void;
}

interface Slot<Row> {
  node: HTMLElement;
  box: HTMLInputElement;
  patches: ((row: Row) => void)[];
  row: Row | null;
  at: number;
}

let grids = 0;

/**
 * A table of which only the rows that can be seen are elements. The focus is always the table's own: which row is the
 * present one is told by `aria-activedescendant`, since the element of a row is another's as soon as it scrolls away.
 */
export class VirtualGrid<Row> {
  readonly node: HTMLElement;
  readonly #head = el("div", { class: "rw-grid-row rw-grid-head", role: "row", "aria-rowindex": 1 });
  readonly #body = el("div", { class: "rw-grid-body", role: "rowgroup" });
  readonly #all = el("input", { type: "checkbox", class: "rw-grid-check" });
  readonly #id = `rw-grid-${++grids}`;
  readonly #do: GridActions<Row>;
  #columns: readonly GridColumn<Row>[] = [];
  #rows: readonly Row[] = [];
  #places = new Map<string, number>();
  #slots: Slot<Row>[] = [];
  #selected: ReadonlySet<string> = new Set();
  #marked: string | null = null;
  #active: string | null = null;
  #lastToggled: string | null = null;
  #height = 0;

  constructor(label: string, actions: GridActions<Row>, signal: AbortSignal) {
    this.#do = actions;
    this.node = el(
      "div",
      { class: "rw-grid", tabindex: 0, role: "grid", "aria-label": label, "aria-multiselectable": "true" },
      el("div", { class: "rw-grid-top", role: "rowgroup" }, this.#head),
      this.#body,
    );
    const on = <K extends keyof HTMLElementEventMap>(
      node: HTMLElement,
      type: K,
      action: (event: HTMLElementEventMap[K]) => void,
    ) => node.addEventListener(type, action, { signal });
    on(this.node, "scroll", () => this.#draw());
    on(this.node, "keydown", (event) => this.#press(event));
    on(this.node, "focus", () => this.#activate(this.#active ?? this.#keyAt(this.#firstSeen()), false));
    on(this.node, "blur", () => this.#draw());
    on(this.#body, "click", (event) => this.#click(event));
    let over: Row | null = null;
    const hover = (row: Row | null) => {
      if (row === over) return;
      over = row;
      actions.hover(row);
    };
    on(this.#body, "pointerover", ({ target }) => {
      const slot = this.#slots.find(({ node }) => target instanceof Node && node.contains(target));
      hover(slot?.row ?? null);
    });
    on(this.#body, "pointerleave", () => hover(null));
    on(this.#all, "change", () => this.#do.select(this.#rows.map(actions.keyOf), this.#all.checked));
    setAttr(this.#all, "aria-label", "Select all rows");
    setAttr(this.#all, "title", "Select all rows");
    const sized = new ResizeObserver(() => {
      this.#height = 0;
      this.#draw();
    });
    sized.observe(this.node);
    signal.addEventListener("abort", () => sized.disconnect());
  }

  get active(): string | null {
    return this.#active;
  }

  setColumns(columns: readonly GridColumn<Row>[], sort: { id: string; direction: Direction } | null): void {
    const same =
      columns.length === this.#columns.length &&
      columns.every((column, i) => {
        const old = this.#columns[i];
        return column.id === old?.id && column.title === old.title && column.width === old.width;
      });
    if (!same) {
      this.#columns = columns;
      const heads = columns.map((column) => headView(column, () => this.#do.sort(column.id)));
      const corner = el("div", { class: "rw-grid-cell rw-grid-pick", role: "columnheader" }, this.#all);
      this.#head.replaceChildren(corner, ...heads);
      const widths = columns.map(({ width }) => `minmax(${width}px, ${width}fr)`);
      this.node.style.setProperty("--rw-grid-columns", `30px ${widths.join(" ")}`);
      const least = columns.reduce((sum, { width }) => sum + width, 30);
      this.node.style.setProperty("--rw-grid-width", `${least}px`);
      setAttr(this.node, "aria-colcount", columns.length + 1);
      this.#body.replaceChildren();
      this.#slots = [];
    }
    columns.forEach((column, i) => {
      const head = this.#head.children[i + 1];
      if (head && column.canSort)
        setAttr(head, "aria-sort", sort?.id === column.id ? sort.direction : "none");
    });
  }

  /** Shows rows. With `stays`, the row that somebody looks at keeps its place on the screen, whatever comes before it. */
  setRows(rows: readonly Row[], stays: boolean): void {
    const anchor = stays ? this.#anchor() : null;
    this.#rows = rows;
    // What a cell shows may follow from other rows than its own.
    for (const slot of this.#slots) slot.row = null;
    this.#places = new Map(rows.map((row, place) => [this.#do.keyOf(row), place]));
    setAttr(this.node, "aria-rowcount", rows.length + 1);
    const height = `${rows.length * ROW}px`;
    if (this.#body.style.height !== height) {
      this.#body.style.height = height;
      this.#height = 0;
    }
    const place = anchor && this.#places.get(anchor.key);
    if (anchor && place !== undefined && place !== null) {
      const top = place * ROW - anchor.offset;
      if (top !== this.node.scrollTop) this.node.scrollTop = top;
    } else if (!stays) this.node.scrollTop = 0;
    this.#tick();
    this.#draw();
  }

  /** Keeps the room of so many rows, whatever a filter leaves of them: what lies below is not to move under the pointer. */
  reserve(count: number): void {
    this.node.style.minHeight = `${Math.min(MOST_SEEN, count + 1) * ROW + 1}px`;
  }

  /** Shows which rows are selected, and which one is marked as the one that is looked at elsewhere. */
  setSelected(selected: ReadonlySet<string>, marked: string | null = null): void {
    this.#selected = selected;
    this.#marked = marked;
    this.#tick();
    this.#draw();
  }

  /** Patches the rows that `where` picks, of those that can be seen: for values that change with the clock. */
  refresh(where: (row: Row) => boolean): void {
    for (const { row, patches, node } of this.#slots) {
      if (!node.hidden && row && where(row)) for (const patch of patches) patch(row);
    }
  }

  /** Makes a row the present one and brings it into sight; with `focus` the keyboard is here too. */
  goTo(key: string, focus: boolean): void {
    if (focus) this.node.focus({ preventScroll: true });
    this.#activate(key, true);
  }

  #keyAt(place: number): string | null {
    const row = this.#rows[place];
    return row === undefined ? null : this.#do.keyOf(row);
  }

  #firstSeen(): number {
    return Math.floor(this.node.scrollTop / ROW);
  }

  #seen(): number {
    // The head covers its own height of what is seen of the box.
    this.#height ||= this.node.clientHeight || UNKNOWN_HEIGHT;
    return this.#height;
  }

  /** The row that must not move: the present one if it can be seen and is looked at, else the first that can be seen. */
  #anchor(): { key: string; offset: number } | null {
    const top = this.node.scrollTop;
    const isLookedAt = this.node.matches(":hover") || this.node.contains(document.activeElement);
    if (top === 0 && !isLookedAt) return null;
    const active = this.#active === null ? undefined : this.#places.get(this.#active);
    const isSeen = active !== undefined && active * ROW >= top && active * ROW < top + this.#seen() - ROW;
    const place = isSeen && hasFocus(this.node) ? active : Math.min(this.#firstSeen(), this.#rows.length - 1);
    const key = this.#keyAt(place);
    return key === null ? null : { key, offset: place * ROW - top };
  }

  #activate(key: string | null, reveal: boolean): void {
    this.#active = key;
    const place = key === null ? undefined : this.#places.get(key);
    if (reveal && place !== undefined) {
      const seen = this.#seen() - ROW; // less the head
      const top = this.node.scrollTop;
      if (place * ROW < top) this.node.scrollTop = place * ROW;
      else if ((place + 1) * ROW > top + seen) this.node.scrollTop = (place + 1) * ROW - seen;
    }
    this.#draw();
  }

  #press(event: KeyboardEvent): void {
    if (event.target !== this.node || event.altKey) return;
    const last = this.#rows.length - 1;
    if (last < 0) return;
    const at = this.#active === null ? -1 : (this.#places.get(this.#active) ?? -1);
    const page = Math.max(1, Math.floor(this.#seen() / ROW) - 2);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 ? 0 : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: last,
    };
    const row = this.#rows[at];
    const to = steps[event.key];
    if (to !== undefined && !event.ctrlKey && !event.metaKey) {
      const place = Math.min(last, Math.max(0, to));
      const key = this.#keyAt(place);
      if (event.shiftKey && key !== null) {
        this.#do.select([this.#active ?? key, key], true);
        this.#lastToggled = key;
      }
      this.#activate(key, true);
    } else if (event.key === "Enter" && row !== undefined) this.#do.open(row);
    else if (event.key === " " && row !== undefined) this.#toggle(this.#do.keyOf(row), event.shiftKey);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      this.#do.select(this.#rows.map(this.#do.keyOf), true);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** With `reaches`, all rows since the one that was toggled last follow. */
  #toggle(key: string, reaches: boolean): void {
    const selected = !this.#selected.has(key);
    const from = this.#places.get(this.#lastToggled ?? "");
    const to = this.#places.get(key) ?? 0;
    const keys =
      reaches && from !== undefined
        ? this.#rows.slice(Math.min(from, to), Math.max(from, to) + 1).map(this.#do.keyOf)
        : [key];
    this.#lastToggled = key;
    this.#do.select(keys, selected);
  }

  #click(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    const slot = this.#slots.find(({ node }) => target && node.contains(target));
    if (!slot?.row || target?.closest("button")) return;
    const key = this.#do.keyOf(slot.row);
    this.#activate(key, false);
    if (target?.closest(".rw-grid-pick")) {
      this.#toggle(key, event.shiftKey);
      slot.box.checked = this.#selected.has(key);
      return;
    }
    // What was selected as text is to be copied.
    const words = document.getSelection();
    if (words && !words.isCollapsed && slot.node.contains(words.anchorNode)) return;
    this.#do.open(slot.row);
  }

  #slot(): Slot<Row> {
    const box = el("input", { type: "checkbox", class: "rw-grid-check", tabindex: -1 });
    const pick = el("div", { class: "rw-grid-cell rw-grid-pick", role: "gridcell" }, box);
    const node = el("div", { class: "rw-grid-row", role: "row" }, pick);
    const patches = this.#columns.map(({ align, namesRow, cell }) => {
      const kind = `rw-grid-cell rw-${align}${namesRow ? " rw-names" : ""}`;
      const inside = el("div", { class: kind, role: namesRow ? "rowheader" : "gridcell" });
      node.append(inside);
      return cell(inside);
    });
    this.#body.append(node);
    return { node, box, patches, row: null, at: -1 };
  }

  #draw(): void {
    const first = Math.max(0, this.#firstSeen() - SPARE);
    const count = Math.min(this.#rows.length, Math.ceil(this.#seen() / ROW) + 2 * SPARE);
    while (this.#slots.length < count) this.#slots.push(this.#slot());
    const begin = Math.max(0, Math.min(first, this.#rows.length - count));
    const size = this.#slots.length;
    const focused = hasFocus(this.node);
    let active: string | null = null;
    for (let place = begin; place < begin + size; place++) {
      const slot = this.#slots[place % size];
      const row = place < begin + count ? this.#rows[place] : undefined;
      if (!slot) continue;
      show(slot.node, row !== undefined);
      if (row === undefined) continue;
      const key = this.#do.keyOf(row);
      if (slot.at !== place) {
        slot.at = place;
        slot.node.style.transform = `translateY(${place * ROW}px)`;
        setAttr(slot.node, "aria-rowindex", place + 2);
        setAttr(slot.node, "id", `${this.#id}-${place}`);
        slot.node.classList.toggle("rw-odd", place % 2 === 1);
      }
      if (slot.row !== row) {
        slot.row = row;
        for (const patch of slot.patches) patch(row);
        setAttr(slot.box, "aria-label", `Select ${this.#do.nameOf(row)}`);
      }
      const selected = this.#selected.has(key);
      if (slot.box.checked !== selected) slot.box.checked = selected;
      setAttr(slot.node, "aria-selected", String(selected));
      const isActive = key === this.#active;
      slot.node.classList.toggle("rw-active", isActive && focused);
      slot.node.classList.toggle("rw-marked", key === this.#marked);
      if (isActive) active = slot.node.id;
    }
    setAttr(this.node, "aria-activedescendant", focused ? active : null);
  }

  #tick(): void {
    let chosen = 0;
    if (this.#selected.size > 0) {
      for (const key of this.#places.keys()) if (this.#selected.has(key)) chosen += 1;
    }
    this.#all.checked = chosen > 0 && chosen === this.#rows.length;
    this.#all.indeterminate = chosen > 0 && chosen < this.#rows.length;
  }
}

function headView<Row>(
  { title, hint, align, namesRow, canSort }: GridColumn<Row>,
  sort: () => void,
): HTMLElement {
  const kind = `rw-grid-cell rw-${align}${namesRow ? " rw-names" : ""}`;
  const node = el("div", { class: kind, role: "columnheader" });
  if (!canSort) {
    setText(node, title);
    return node;
  }
  const button = el(
    "button",
    { class: "rw-sort", type: "button", title: hint ?? title },
    // Isolated, because a heading that stands right is cut at its left, by being written from the right.
    el("span", { class: "rw-sort-title" }, el("bdi", {}, title)),
  );
  button.addEventListener("click", sort);
  node.append(button);
  return node;
}
