/** Finding words in lines, whatever their case. */
import type { Line } from "./screen";

/** A place of the words: the line, and from where to where in its text. */
export interface Hit {
  line: Line;
  start: number;
  end: number;
}

export class Finder {
  #pattern: RegExp | null = null;
  #found = new Map<Line, Hit[]>();
  #hits: Hit[] = [];
  /** Which of the places is the present one; -1 for none. */
  at = -1;

  get hits(): readonly Hit[] {
    return this.#hits;
  }

  get current(): Hit | undefined {
    return this.#hits[this.at];
  }

  of(line: Line): readonly Hit[] {
    return this.#found.get(line) ?? [];
  }

  /** Looks for other words; gives the lines that have to be shown anew. */
  seek(words: string, lines: readonly Line[]): Set<Line> {
    const stale = new Set(this.#found.keys());
    // Compared letter by letter: a text in lower case may be of another length.
    this.#pattern = words === "" ? null : new RegExp(words.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
    this.#found.clear();
    for (const line of lines) this.#look(line);
    this.#gather(lines);
    this.at = this.#hits.length - 1; // the newest is what is looked for in a log
    for (const line of this.#found.keys()) stale.add(line);
    return stale;
  }

  /** Looks again in lines that changed, among the lines that there are now. */
  update(changed: Iterable<Line>, lines: readonly Line[]): void {
    if (!this.#pattern) return;
    const current = this.current;
    for (const line of changed) this.#look(line);
    this.#gather(lines);
    const same = this.#hits.findIndex((hit) => hit.line === current?.line && hit.start === current.start);
    this.at = same >= 0 ? same : Math.min(this.at, this.#hits.length - 1);
    if (this.at < 0) this.at = this.#hits.length - 1;
  }

  /** Goes to the next place, or the one before, around the ends. */
  step(by: 1 | -1): void {
    const count = this.#hits.length;
    if (count > 0) this.at = (this.at + by + count) % count;
  }

  #look(line: Line): void {
    const hits: Hit[] = [];
    for (const found of this.#pattern ? line.text.matchAll(this.#pattern) : []) {
      hits.push({ line, start: found.index, end: found.index + found[0].length });
    }
    if (hits.length > 0) this.#found.set(line, hits);
    else this.#found.delete(line);
  }

  #gather(lines: readonly Line[]): void {
    const kept = new Map<Line, Hit[]>();
    for (const line of this.#found.size > 0 ? lines : []) {
      const hits = this.#found.get(line);
      if (hits) kept.set(line, hits);
    }
    this.#found = kept;
    this.#hits = [...kept.values()].flat();
  }
}
