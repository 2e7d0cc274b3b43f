/**
 * What a terminal would show of a text, as lines: progress bars that draw themselves anew are there once, colours are
 * pens, and whatever else a program says to a terminal is left out. `watch/screen.py` does the same without colours;
 * `tests/golden/screen.json` holds both to one table.
 */
import { type Pen, PLAIN, repenned } from "./pen";

/** A longer line is cut: nobody reads it, and a page that lays it out stands still. */
export const MAX_COLUMNS = 2000;
/** How far a cursor goes where nothing is written; real screens are not wider. */
const MAX_CURSOR = 500;
/** How far a cursor goes up: real screens are not higher. */
const MAX_ROWS = 200;
/** A sequence that goes on longer than this is none. */
const MAX_SEQUENCE = 4096;

/** One line; `at` is where it begins in the file. */
export class Line {
  /** Code points, and how each of them is written. */
  readonly cells: string[] = [];
  readonly pens: Pen[] = [];
  /** How many characters at its end are left out. */
  cut = 0;

  constructor(readonly at: number) {}

  get text(): string {
    return this.cells.join("");
  }

  /** The parts that look alike, in order. */
  *spans(): Generator<[string, Pen]> {
    let start = 0;
    for (let i = 1; i <= this.cells.length; i += 1) {
      if (i < this.cells.length && this.pens[i] === this.pens[start]) continue;
      yield [this.cells.slice(start, i).join(""), this.pens[start] ?? PLAIN];
      start = i;
    }
  }

  shorten(length: number): void {
    if (this.cells.length > length) this.cells.length = this.pens.length = length;
    this.cut = 0;
  }
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: they are what this is about.
const PRINTABLE = /[^\x00-\x1f\x7f-\x9f]+/y;
/** Always matches after its first two characters; without the last one it is unfinished or broken. */
const CONTROL = /(?:\x1b\[|\x9b)([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e]?)/y;
/** Titles, links, pictures: to the end of the string, which no control character is part of. */
const STRING = /(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x1f\x7f\x9c]*(\x07|\x1b\\|\x9c|\x1b$)?/y;
const ESCAPE = /\x1b[\x20-\x2f]*([\x30-\x7e]?)/y;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: as above.

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

export class Screen {
  readonly lines: Line[];
  /** What changed since somebody emptied them. */
  readonly changed = new Set<Line>();
  readonly removed: Line[] = [];
  #row = 0;
  #column = 0;
  #pen = PLAIN;
  #unfinished = "";

  constructor(at: number) {
    this.lines = [new Line(at)];
  }

  /** Goes on. A line that begins in this text begins at `next` in the file: give one line at a time. */
  write(more: string, next: number): void {
    const text = this.#unfinished + more;
    this.#unfinished = "";
    let at = 0;
    while (at < text.length) {
      const plain = matchAt(PRINTABLE, text, at);
      if (plain) {
        this.#print(plain[0]);
        at += plain[0].length;
        continue;
      }
      const length = this.#obey(text, at, next);
      if (length === 0) {
        this.#unfinished = text.slice(at);
        return;
      }
      at += length;
    }
  }

  /** Forgets the first lines. */
  dropFirst(count: number): Line[] {
    const kept = Math.min(count, this.#row);
    this.#row -= kept;
    return this.lines.splice(0, kept);
  }

  /** Obeys what begins here; gives how long it is, 0 where its end has yet to come. */
  #obey(text: string, at: number, next: number): number {
    const found = matchAt(CONTROL, text, at) ?? matchAt(STRING, text, at) ?? matchAt(ESCAPE, text, at);
    if (!found) {
      this.#control(text.charCodeAt(at), next);
      return 1;
    }
    const [whole, first = "", second] = found;
    const isControl = second !== undefined;
    const isFinished = isControl ? second !== "" : first !== "" && first !== "\x1b";
    if (!isFinished && at + whole.length === text.length && whole.length < MAX_SEQUENCE) return 0;
    if (isControl && second !== "") this.#sequence(first, second);
    else if (whole === "\x1bM") this.#row = Math.max(0, this.#row - 1);
    return whole.length;
  }

  #control(code: number, next: number): void {
    if (code === 0x0a || code === 0x0b || code === 0x0c || code === 0x85) this.#newLine(next);
    else if (code === 0x0d) this.#column = 0;
    else if (code === 0x08) this.#column = Math.max(0, this.#column - 1);
    else if (code === 0x09) this.#print("\t");
  }

  #newLine(next: number): void {
    this.#row += 1;
    this.#column = 0;
    if (this.#row < this.lines.length) return;
    const line = new Line(next);
    this.lines.push(line);
    this.changed.add(line);
  }

  #print(text: string): void {
    const line = this.#line();
    const { cells, pens } = line;
    while (cells.length < this.#column && cells.length < MAX_COLUMNS) {
      cells.push(" ");
      pens.push(PLAIN);
    }
    for (const character of text) {
      if (this.#column < MAX_COLUMNS) {
        cells[this.#column] = character;
        pens[this.#column] = this.#pen;
      }
      this.#column += 1;
    }
    line.cut = Math.max(line.cut, this.#column - MAX_COLUMNS);
    this.changed.add(line);
  }

  #sequence(parameters: string, kind: string): void {
    if (kind === "m") {
      this.#pen = repenned(this.#pen, parameters);
      return;
    }
    const [first = 0] = /^\d/.test(parameters) ? parameters.split(";").map(Number) : [];
    const count = Math.max(1, first);
    if (kind === "A" || kind === "F") this.#row = Math.max(0, this.#row - Math.min(count, MAX_ROWS));
    else if (kind === "B" || kind === "E") this.#row = Math.min(this.lines.length - 1, this.#row + count);
    else if (kind === "C") this.#column = Math.max(this.#column, Math.min(MAX_CURSOR, this.#column + count));
    else if (kind === "D") this.#column = Math.max(0, this.#column - count);
    else if (kind === "G") this.#column = Math.min(MAX_CURSOR, count - 1);
    else if (kind === "K") this.#clearLine(first);
    else if (kind === "J" && first === 0) this.#clearBelow();
    if (kind === "E" || kind === "F") this.#column = 0;
  }

  #line(): Line {
    // There is one wherever the cursor may be.
    return this.lines[this.#row] as Line;
  }

  #clearLine(which: number): void {
    const line = this.#line();
    if (which === 0) line.shorten(this.#column);
    if (which === 2) line.shorten(0);
    if (which === 1) {
      line.cells.fill(" ", 0, this.#column + 1);
      line.pens.fill(PLAIN, 0, this.#column + 1);
    }
    this.changed.add(line);
  }

  #clearBelow(): void {
    this.#clearLine(0);
    for (const line of this.lines.splice(this.#row + 1)) {
      this.changed.delete(line);
      this.removed.push(line);
    }
  }
}
