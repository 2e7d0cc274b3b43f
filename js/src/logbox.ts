/** The lines of a log in a box that scrolls, and follows its end as long as its reader is there. */
import { el, setAttr } from "./dom";
import type { Finder, Hit } from "./finder";
import { formatNumber } from "./format";
import type { LogWindow, Taken } from "./logwindow";
import { dress, type Pen, PLAIN } from "./pen";
import type { Scope } from "./scope";
import { type Line, MAX_COLUMNS } from "./screen";

/** So near to the end is at it: where a page is zoomed, positions are fractions. */
const NEAR_PX = 8;

function spanNode(text: string, pen: Pen, hit: Hit | undefined, isCurrent: boolean): Node {
  if (hit) {
    const mark = el("mark", { class: isCurrent ? "rw-hit rw-hit-current" : "rw-hit" }, text);
    return mark;
  }
  if (pen === PLAIN) return document.createTextNode(text);
  const node = el("span", {}, text);
  dress(node, pen);
  return node;
}

function parts(line: Line, hits: readonly Hit[], current: Hit | undefined): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  let next = 0;
  for (const [text, pen] of line.spans()) {
    const end = at + text.length;
    let from = at;
    while (from < end) {
      while (hits[next] && (hits[next] as Hit).end <= from) next += 1;
      const hit = hits[next];
      const inside = hit !== undefined && hit.start <= from;
      const to = Math.min(end, hit === undefined ? end : inside ? hit.end : hit.start);
      nodes.push(spanNode(text.slice(from - at, to - at), pen, inside ? hit : undefined, hit === current));
      from = to;
    }
    at = end;
  }
  if (line.cut > 0) {
    const note = ` … ${formatNumber(line.cut)} characters more in this line`;
    nodes.push(
      el("span", { class: "rw-log-cut", title: `Lines are cut at ${MAX_COLUMNS} characters` }, note),
    );
  }
  return nodes;
}

export class LogBox {
  readonly node = el("div", {
    class: "rw-log",
    role: "log",
    tabindex: 0,
    // Not read out as it comes: a log says more in a second than a voice in a minute.
    "aria-live": "off",
  });
  readonly #finder: Finder;
  #nodes = new Map<Line, HTMLElement>();
  #current: Hit | undefined;
  #isFollowing = true;
  #top = 0;

  constructor(scope: Scope, finder: Finder, onChange: () => void) {
    this.#finder = finder;
    this.node.addEventListener(
      "scroll",
      () => {
        const before = this.#isFollowing;
        const { scrollTop, scrollHeight, clientHeight } = this.node;
        if (clientHeight === 0) return; // out of sight
        if (scrollHeight - scrollTop - clientHeight <= NEAR_PX) this.#isFollowing = true;
        // Only who goes up leaves the end: what is added below moves nobody, and is reported all the same.
        else if (scrollTop < this.#top) this.#isFollowing = false;
        this.#top = scrollTop;
        if (before !== this.#isFollowing) onChange();
      },
      { signal: scope.signal, passive: true },
    );
    // A box that was out of sight, or became wider, has its end elsewhere.
    const resized = new ResizeObserver(() => this.settle());
    resized.observe(this.node);
    scope.onEnd(() => resized.disconnect());
  }

  get isFollowing(): boolean {
    return this.#isFollowing;
  }

  clear(name: string | null): void {
    setAttr(this.node, "aria-label", name ?? "Log");
    this.#nodes.clear();
    this.node.replaceChildren();
  }

  /** Goes to the end, and stays there. */
  follow(): void {
    this.#isFollowing = true;
    this.settle();
  }

  /** Is at the end if it follows it. */
  settle(): void {
    if (!this.#isFollowing) return;
    this.node.scrollTop = this.node.scrollHeight;
    this.#top = this.node.scrollTop;
  }

  show(log: LogWindow, taken: Taken): void {
    if (taken === "anew") {
      this.#nodes.clear();
      this.node.replaceChildren(...log.lines.map((line) => this.#make(line)));
    } else if (taken === "earlier") this.#showEarlier(log);
    else this.#showMore(log);
    log.changed.clear();
    log.gone.length = 0;
    this.settle();
  }

  #showMore(log: LogWindow): void {
    this.#drop(log);
    const added: HTMLElement[] = [];
    for (const line of log.changed) {
      const node = this.#nodes.get(line);
      if (node) this.#fill(node, line);
      else added.push(this.#make(line));
    }
    this.node.append(...added);
  }

  #showEarlier(log: LogWindow): void {
    const { node } = this;
    const fromEnd = node.scrollHeight - node.scrollTop;
    const added: HTMLElement[] = [];
    for (const line of log.lines) {
      if (this.#nodes.has(line)) break;
      added.push(this.#make(line));
    }
    node.prepend(...added);
    this.#isFollowing = false;
    node.scrollTop = node.scrollHeight - fromEnd;
    this.#top = node.scrollTop;
    this.#drop(log);
  }

  #drop(log: LogWindow): void {
    for (const line of log.gone) {
      this.#nodes.get(line)?.remove();
      this.#nodes.delete(line);
    }
  }

  /** Draws lines anew. */
  patch(lines: Iterable<Line>): void {
    for (const line of lines) {
      const node = this.#nodes.get(line);
      if (node) this.#fill(node, line);
    }
  }

  /** Shows which place is the present one, and brings it into sight. */
  reveal(hit: Hit | undefined): void {
    const stale = [this.#current?.line, hit?.line].filter((line) => line !== undefined);
    this.#current = hit;
    this.patch(new Set(stale));
    const mark = this.node.querySelector<HTMLElement>(".rw-hit-current");
    if (!mark) return;
    const { node } = this;
    const [inside, outside] = [mark.getBoundingClientRect(), node.getBoundingClientRect()];
    // Within the box alone: `scrollIntoView` would move the notebook too.
    const isSeen = inside.top >= outside.top && inside.bottom <= outside.bottom;
    if (!isSeen) node.scrollTop += inside.top - outside.top - node.clientHeight / 2;
    if (inside.left < outside.left || inside.right > outside.right) {
      node.scrollLeft += inside.left - outside.left - node.clientWidth / 2;
    }
  }

  /** What is selected in it, as text. */
  selected(): string {
    const selection = (this.node.getRootNode() as Document).getSelection?.();
    if (!selection || selection.isCollapsed || !this.node.contains(selection.anchorNode)) return "";
    return selection.toString();
  }

  #make(line: Line): HTMLElement {
    const node = el("div", { class: "rw-log-line" });
    this.#nodes.set(line, node);
    this.#fill(node, line);
    return node;
  }

  #fill(node: HTMLElement, line: Line): void {
    node.replaceChildren(...parts(line, this.#finder.of(line), this.#finder.current));
  }
}
