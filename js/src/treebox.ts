/** A tree that is long: only the lines in sight are elements. */
import { el, setAttr, setText, show } from "./dom";
import { formatBytes, formatNumber } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { plainName } from "./plain";
import type { Scope } from "./scope";
import type { Folder, Line } from "./tree";

const LINE = 24;
const BEYOND = 10;
let trees = 0;

interface Shown extends Line {
  at: number;
}

const keyOf = ({ isFolder, item }: Line): string => `${isFolder ? "/" : ""}${item.path}`;

export class TreeBox {
  readonly node: HTMLElement;
  readonly #space = el("div", { class: "rw-tree-space", role: "presentation" });
  readonly #list: KeyedList<Shown>;
  readonly #id: string;
  readonly #act: (line: Line, how: "toggle" | "open" | "close" | "choose") => void;
  #lines: readonly Line[] = [];
  /** The line that the keyboard is at. */
  #at: string | null = null;
  #chosen: string | null = null;

  constructor(
    scope: Scope,
    label: string,
    act: (line: Line, how: "toggle" | "open" | "close" | "choose") => void,
  ) {
    trees += 1;
    this.#id = `rw-tree-${trees}`;
    this.#act = act;
    const { signal } = scope;
    this.node = el("div", { class: "rw-tree", role: "tree", tabindex: 0, "aria-label": label }, this.#space);
    this.#list = new KeyedList(this.#space, keyOf, () => this.#lineView());
    this.node.addEventListener("scroll", () => this.#draw(), { signal, passive: true });
    this.node.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    this.node.addEventListener(
      "click",
      (event) => {
        const row =
          event.target instanceof Element ? event.target.closest<HTMLElement>(".rw-tree-line") : null;
        const line = this.#lines[Number(row?.dataset.at ?? -1)];
        if (!line) return;
        this.#at = keyOf(line);
        this.#act(line, line.isFolder ? "toggle" : "choose");
        this.#draw();
      },
      { signal },
    );
    const sized = new ResizeObserver(() => this.#draw());
    sized.observe(this.node);
    scope.onEnd(() => sized.disconnect());
  }

  update(lines: readonly Line[], chosen: string | null): void {
    this.#lines = lines;
    this.#chosen = chosen;
    this.#space.style.height = `${lines.length * LINE}px`;
    this.#draw();
  }

  #draw(): void {
    const first = Math.max(0, Math.floor(this.node.scrollTop / LINE) - BEYOND);
    const last = Math.ceil((this.node.scrollTop + (this.node.clientHeight || 400)) / LINE) + BEYOND;
    const at = this.#lines.findIndex((line) => keyOf(line) === this.#at);
    const shown = this.#lines.slice(first, last).map((line, index) => ({ ...line, at: first + index }));
    this.#list.update(shown);
    setAttr(this.node, "aria-activedescendant", at >= first && at < last ? `${this.#id}-${at}` : null);
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const count = this.#lines.length;
    const at = this.#lines.findIndex((line) => keyOf(line) === this.#at);
    const line = this.#lines[at];
    const page = Math.max(1, Math.floor(this.node.clientHeight / LINE) - 1);
    const goals: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 ? 0 : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: count - 1,
    };
    let goal = goals[event.key];
    if (event.key === "ArrowRight" && line?.isFolder) {
      if (line.isOpen) goal = at + 1;
      else this.#act(line, "open");
    } else if (event.key === "ArrowLeft" && line) {
      if (line.isOpen) this.#act(line, "close");
      else goal = this.#parentOf(at);
    } else if ((event.key === "Enter" || event.key === " ") && line) {
      this.#act(line, line.isFolder ? "toggle" : "choose");
    } else if (goal === undefined) return;
    event.preventDefault();
    if (goal !== undefined) this.#go(Math.max(0, Math.min(count - 1, goal)));
    else this.#draw();
  }

  #parentOf(at: number): number {
    const level = this.#lines[at]?.level ?? 1;
    let up = at;
    while (up > 0 && (this.#lines[up]?.level ?? 0) >= level) up -= 1;
    return up;
  }

  #go(at: number): void {
    const line = this.#lines[at];
    if (!line) return;
    this.#at = keyOf(line);
    const top = at * LINE;
    if (top < this.node.scrollTop) this.node.scrollTop = top;
    const bottom = top + LINE - this.node.clientHeight;
    if (bottom > this.node.scrollTop) this.node.scrollTop = bottom;
    this.#draw();
  }

  #lineView(): ItemView<Shown> {
    const mark = el("span", { class: "rw-tree-mark", "aria-hidden": "true" });
    const name = el("bdi", { class: "rw-tree-name" });
    const count = el("span", { class: "rw-count" });
    const size = el("span", { class: "rw-tree-size" });
    const node = el("div", { class: "rw-tree-line", role: "treeitem" }, mark, name, count, size);
    return {
      node,
      patch: (line) => {
        const { item, isFolder, level } = line;
        const key = keyOf(line);
        const plain = plainName(item.name) || "(no name)";
        node.style.top = `${line.at * LINE}px`;
        node.style.paddingLeft = `calc(var(--rw-pad) + ${Math.min(level - 1, 12) * 14}px)`;
        setAttr(node, "data-at", line.at);
        setAttr(node, "id", `${this.#id}-${line.at}`);
        setAttr(node, "aria-level", level);
        setAttr(node, "aria-posinset", line.place);
        setAttr(node, "aria-setsize", line.of);
        setAttr(node, "aria-expanded", isFolder ? String(line.isOpen) : null);
        setAttr(node, "aria-selected", String(key === this.#chosen));
        node.classList.toggle("rw-at", key === this.#at);
        setText(mark, isFolder ? (line.isOpen ? "▾" : "▸") : "");
        setText(name, isFolder ? `${plain}/` : plain);
        setAttr(name, "title", plainName(item.path));
        setText(count, isFolder ? formatNumber((item as Folder).count) : "");
        show(count, isFolder);
        setText(size, formatBytes(item.size));
      },
    };
  }
}
