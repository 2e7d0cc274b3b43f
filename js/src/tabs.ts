import { el, setAttr, setText, show } from "./dom";
import { formatNumber } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import type { Tab } from "./wire";

const STEPS: Record<string, (at: number, count: number) => number> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_at, count) => count - 1,
};

/** How much of a neighbour stays in sight beside the tab that is brought into it, so that it is seen to be there. */
const PEEK = 28;

/**
 * The tab strip; where it is narrow it scrolls, and fades at the side where there is more. The pages are other widgets, so a
 * tab cannot name the page it controls.
 */
export class TabStrip {
  readonly node = el("div", { class: "rw-tabs", role: "tablist", "aria-label": "Run details" });
  readonly #list: KeyedList<Tab>;
  #revealed: Element | null = null;

  constructor(signal: AbortSignal, select: (index: number) => void) {
    this.#list = new KeyedList(this.node, (tab) => tab.id, tabView);
    this.node.addEventListener(
      "click",
      (event) => {
        const at = event.target instanceof Element ? event.target.closest("[role=tab]") : null;
        if (at) select([...this.node.children].indexOf(at));
      },
      { signal },
    );
    this.node.addEventListener(
      "keydown",
      (event) => {
        const all = [...this.node.children] as HTMLElement[];
        const tabs = all.filter((tab) => !tab.hidden);
        const at = tabs.indexOf(event.target as HTMLElement);
        const step = STEPS[event.key];
        if (!step || at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        const next = tabs[step(at, tabs.length)];
        if (!next) return;
        select(all.indexOf(next));
        next.focus({ preventScroll: true });
        this.#reveal(next);
      },
      { signal },
    );
    this.node.addEventListener("scroll", () => this.#fade(), { signal, passive: true });
    const sized = new ResizeObserver(() => {
      this.#reveal(this.#revealed);
      this.#fade();
    });
    sized.observe(this.node);
    signal.addEventListener("abort", () => sized.disconnect());
  }

  /** Takes the focus, on the tab that is open. */
  focus(): void {
    this.node.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }

  update(tabs: readonly Tab[], selected: number): void {
    this.#list.update(tabs);
    // A strip with no tab in the tab order could not be reached by keyboard at all.
    const reachable = tabs[selected]?.is_shown ? selected : 0;
    [...this.node.children].forEach((tab, index) => {
      setAttr(tab, "aria-selected", String(index === selected));
      setAttr(tab, "tabindex", index === reachable ? 0 : -1);
    });
    // Only when another is opened: who has scrolled the strip is not to be scrolled back by each state that comes.
    const open = this.node.children[selected] ?? null;
    if (open !== this.#revealed) this.#reveal(open);
    this.#fade();
  }

  /** Scrolls the strip, and never the page around it, until a tab is in sight. */
  #reveal(tab: Element | null): void {
    this.#revealed = tab;
    if (!tab) return;
    const [strip, box] = [this.node.getBoundingClientRect(), tab.getBoundingClientRect()];
    const before = box.left - strip.left - PEEK;
    const after = box.right - strip.right + PEEK;
    if (before < 0) this.node.scrollLeft += before;
    else if (after > 0) this.node.scrollLeft += Math.min(after, before);
  }

  #fade(): void {
    const { scrollLeft, scrollWidth, clientWidth } = this.node;
    const sides = [scrollLeft > 1 ? "left" : "", scrollLeft + clientWidth < scrollWidth - 1 ? "right" : ""];
    setAttr(this.node, "data-more", sides.filter(Boolean).join(" ") || null);
  }
}

function tabView(): ItemView<Tab> {
  const title = el("span", { class: "rw-tab-title" });
  const count = el("span", { class: "rw-count" });
  const face = el("span", { class: "rw-tab-face" }, title, count);
  const node = el("button", { class: "rw-tab", role: "tab", type: "button" }, face);
  return {
    node,
    patch(tab) {
      const items = tab.count === null ? "" : formatNumber(tab.count);
      setText(title, tab.title);
      setText(count, items);
      // The bold of a selected tab is wider; the stylesheet reserves that width with this copy.
      setAttr(node, "data-wide", `${tab.title} ${items}`);
      show(count, tab.count !== null);
      show(node, tab.is_shown);
    },
  };
}
