import type { AllLines, LineItem, LinesMessage } from "./wire";

/** The four rows of a line. */
export type Rows = readonly [Float64Array, Float64Array, Float64Array, Float64Array];

const ROWS = 4;
const SIZE = Float64Array.BYTES_PER_ELEMENT;

/** The points of an overlay: all of them once, and then what comes. All views of a model share it. */
export class LineStore {
  #lines = new Map<string, Rows>();
  #sequence = -1;

  get sequence(): number {
    return this.#sequence;
  }

  get(id: string): Rows | undefined {
    return this.#lines.get(id);
  }

  take({ sequence, items, data }: AllLines): void {
    this.#lines = new Map();
    this.#apply(items, data);
    this.#sequence = sequence;
  }

  /** Gives whether the message could be used: one before it may be missing. */
  patch({ sequence, items }: LinesMessage, data: DataView | undefined): boolean {
    if (sequence <= this.#sequence) return true;
    if (sequence !== this.#sequence + 1 || !this.#apply(items, data)) return false;
    this.#sequence = sequence;
    return true;
  }

  #apply(items: readonly LineItem[], data: DataView | undefined): boolean {
    const count = items.reduce((sum, { add }) => sum + add, 0) * ROWS;
    if ((data?.byteLength ?? 0) !== count * SIZE) return false;
    // Copied, for numbers have to lie at multiples of eight.
    const numbers = data
      ? new Float64Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength))
      : new Float64Array();
    const next = new Map<string, Rows>();
    let at = 0;
    for (const { id, keep, add } of items) {
      const before = this.#lines.get(id);
      if (keep > (before?.[0].length ?? 0)) return false;
      const row = (which: number): Float64Array => {
        const whole = new Float64Array(keep + add);
        if (before) whole.set((before[which] as Float64Array).subarray(0, keep));
        whole.set(numbers.subarray(at, at + add), keep);
        at += add;
        return whole;
      };
      next.set(
        id,
        before && add === 0 && before[0].length === keep ? before : [row(0), row(1), row(2), row(3)],
      );
    }
    this.#lines = next;
    return true;
  }
}
