/** The part of a log that is here: where it lies in the file, and its lines. */
import { type Line, Screen } from "./screen";
import type { LogMessage } from "./wire";

/** How many lines are kept; twice as many while somebody reads them, so that they do not go from under the eyes. */
export const MAX_LINES = 5000;

const NEWLINE = 10;
/** So many bytes are all that Python would give of the end of a log: `PART_BYTES`. */
const WHOLE_PART = 2 ** 18;

/** What a message meant: all is new, some lines changed, lines came before the others, nothing, or one is missing. */
export type Taken = "anew" | "more" | "earlier" | "nothing" | "gap";

/** Where in a part that may begin anywhere the first line begins, or else the first character. */
function firstLine(bytes: Uint8Array): number {
  const newline = bytes.subarray(0, bytes.length / 2).indexOf(NEWLINE);
  if (newline >= 0) return newline + 1;
  let at = 0;
  while (at < 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at += 1;
  return at;
}

export class LogWindow {
  /** What lies before the screen: of pages that were loaded later, or all of it when the end is not here. */
  #before: Line[] = [];
  #screen: Screen | null = null;
  #decoder = new TextDecoder();
  #content = -1;
  #isComplete = false;
  start = 0;
  end = 0;
  /** How large the file is. */
  size = 0;
  /** What changed or went since somebody emptied them. */
  readonly changed = new Set<Line>();
  readonly gone: Line[] = [];

  get lines(): Line[] {
    return this.#screen ? [...this.#before, ...this.#screen.lines] : this.#before;
  }

  /** Whether there is anything here. */
  get isEmpty(): boolean {
    return this.#content < 0;
  }

  /** Whether what is written next belongs here. */
  get isAtEnd(): boolean {
    return this.#isComplete;
  }

  take(message: LogMessage, bytes: Uint8Array, following: boolean): Taken {
    const { content, start, end, size } = message;
    if (this.isEmpty || content !== this.#content)
      return end < size ? "nothing" : this.#begin(message, bytes);
    this.size = Math.max(this.size, size);
    if (end === this.start && start < end) return this.#prepend(bytes, start);
    if (!this.#isComplete || end <= this.end) return "nothing";
    if (start > this.end) return this.#jump(message, bytes, following);
    this.#feed(bytes.subarray(this.end - start), this.end);
    this.#trim(following ? MAX_LINES : 2 * MAX_LINES, following);
    return "more";
  }

  #begin({ content, start, end, size }: LogMessage, bytes: Uint8Array): Taken {
    const skipped = start > 0 ? firstLine(bytes) : 0;
    this.#content = content;
    this.#before = [];
    this.#decoder = new TextDecoder();
    this.#screen = new Screen(start + skipped);
    this.#isComplete = true;
    this.start = start + skipped;
    this.end = end;
    this.size = size;
    this.gone.length = 0;
    this.#feed(bytes.subarray(skipped), this.start);
    this.#trim(MAX_LINES, true);
    this.changed.clear();
    return "anew";
  }

  /** Where more was written than one message carries, or a message was lost. */
  #jump(message: LogMessage, bytes: Uint8Array, following: boolean): Taken {
    if (following) return bytes.length >= WHOLE_PART ? this.#begin(message, bytes) : "gap";
    this.#isComplete = false; // what somebody reads stays, and the end can be had
    return "nothing";
  }

  #feed(bytes: Uint8Array, at: number): void {
    const screen = this.#screen;
    if (!screen) return;
    this.#write(screen, this.#decoder, bytes, at);
    this.end = at + bytes.length;
    for (const line of screen.changed) this.changed.add(line);
    for (const line of screen.removed) this.changed.delete(line);
    this.gone.push(...screen.removed.splice(0));
    screen.changed.clear();
  }

  #write(screen: Screen, decoder: TextDecoder, bytes: Uint8Array, at: number): void {
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline < 0 ? bytes.length : newline + 1;
      screen.write(decoder.decode(bytes.subarray(from, to), { stream: true }), at + to);
      from = to;
    }
  }

  #prepend(bytes: Uint8Array, start: number): Taken {
    const skipped = start > 0 ? firstLine(bytes) : 0;
    const page = new Screen(start + skipped);
    this.#write(page, new TextDecoder(), bytes.subarray(skipped), start + skipped);
    const lines = page.lines;
    // What ends with a line end has, for a screen, an empty line after it.
    if (lines.length > 1 && lines.at(-1)?.cells.length === 0) lines.pop();
    this.start = start + skipped;
    this.#before = [...lines, ...this.#before];
    const all = this.lines;
    if (all.length <= 2 * MAX_LINES) return "earlier";
    // Who reads here wants to go on here: what is left out is the end, which can be had again at any time.
    this.#before = all.slice(0, 2 * MAX_LINES);
    const left = all.slice(2 * MAX_LINES);
    this.end = left[0]?.at ?? this.end;
    this.gone.push(...left);
    this.#screen = null;
    this.#isComplete = false;
    return "earlier";
  }

  #trim(most: number, following: boolean): void {
    const screen = this.#screen;
    if (!screen) return;
    const excess = this.#before.length + screen.lines.length - most;
    if (excess <= 0) return;
    if (!following) {
      this.#isComplete = false;
      return;
    }
    const dropped = this.#before.splice(0, excess);
    dropped.push(...screen.dropFirst(excess - dropped.length));
    for (const line of dropped) this.changed.delete(line);
    this.gone.push(...dropped);
    this.start = (this.#before[0] ?? screen.lines[0])?.at ?? this.start;
  }
}
