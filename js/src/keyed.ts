/** One item's element and the way to bring it up to date. */
export interface ItemView<Item> {
  node: Element;
  patch(item: Item): void;
  /** Frees what the element holds beyond itself. */
  drop?(): void;
}

/**
 * Children of `parent`, one per item, found again by key. Elements stay where they are unless their item
 * moved: focus, selection, scroll position and loaded pictures outlive an update.
 */
export class KeyedList<Item> {
  readonly #parent: Element;
  readonly #keyOf: (item: Item) => string;
  readonly #create: (item: Item) => ItemView<Item>;
  #views = new Map<string, ItemView<Item>>();

  constructor(parent: Element, keyOf: (item: Item) => string, create: (item: Item) => ItemView<Item>) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#create = create;
  }

  update(items: readonly Item[]): void {
    const next = new Map<string, ItemView<Item>>();
    items.forEach((item, index) => {
      const wanted = this.#keyOf(item);
      // Two items under one key would fight for one element.
      const key = next.has(wanted) ? `${wanted}\u0000${index}` : wanted;
      const view = this.#views.get(key) ?? this.#create(item);
      view.patch(item);
      next.set(key, view);
    });
    for (const [key, view] of this.#views) {
      if (next.has(key)) continue;
      view.node.remove();
      view.drop?.();
    }
    this.#views = next;
    this.#place();
  }

  /** Patches these items where they are. */
  refresh(items: readonly Item[]): void {
    for (const item of items) this.#views.get(this.#keyOf(item))?.patch(item);
  }

  clear(): void {
    this.update([]);
  }

  #place(): void {
    let cursor = this.#parent.firstElementChild;
    for (const { node } of this.#views.values()) {
      if (node === cursor) cursor = cursor.nextElementSibling;
      else this.#parent.insertBefore(node, cursor);
    }
  }
}
