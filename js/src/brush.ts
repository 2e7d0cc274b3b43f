import { el, setText, show } from "./dom";
import { type Found, xAtPixel } from "./plotarea";
import type { Scope } from "./scope";
import type { LensState, ZoomRequest } from "./wire";

/** A shorter stroke is a click with an unsteady hand. */
const SHORTEST = 5;
const PATIENCE_MS = 300;

/** The part of a chart that is being chosen, and the wait for it to be drawn. */
export class Brush {
  readonly #word = el("span", { class: "rw-brush-word", role: "status" });
  readonly node = el("div", { class: "rw-brush" }, this.#word);
  readonly #patience;
  readonly #send: (request: ZoomRequest) => void;
  readonly #isGone: () => boolean;
  #found: Found | null = null;
  #from = 0;
  #to = 0;
  #asked: ZoomRequest | null = null;

  constructor(scope: Scope, send: (request: ZoomRequest) => void, isGone: () => boolean) {
    this.#send = send;
    this.#isGone = isGone;
    this.#patience = scope.delay(PATIENCE_MS, () => this.#say("waiting for Python …"));
    scope.onEnd(() => this.node.remove());
  }

  /** Whether a stroke is under way that is longer than a click. */
  get isDrawing(): boolean {
    return this.#found !== null && Math.abs(this.#to - this.#from) >= SHORTEST;
  }

  start(found: Found, pixel: number): void {
    this.cancel();
    this.#found = found;
    this.#from = this.#to = pixel;
  }

  move(pixel: number): void {
    if (!this.#found) return;
    const { area } = this.#found;
    this.#to = Math.min(area.right, Math.max(area.left, pixel));
    if (this.isDrawing) this.#place(this.#found, this.#from, this.#to);
  }

  end(): void {
    const found = this.#found;
    if (!found) return;
    const isStroke = this.isDrawing;
    this.#found = null;
    if (!isStroke) return;
    const [a, b] = [this.#from, this.#to].map((pixel) => xAtPixel(found, pixel, found.chart.x));
    this.ask(found, Math.min(a as number, b as number), Math.max(a as number, b as number));
  }

  /** Asks for a part of a chart; null and null for the whole. */
  ask({ grid, place, chart: { name } }: Found, low: number | null, high: number | null): void {
    this.#asked = { kind: "zoom", grid, place, name, low, high };
    if (this.#isGone()) {
      this.#say("the kernel is gone");
      return;
    }
    this.#send(this.#asked);
    this.#patience.restart();
  }

  cancel(): void {
    this.#found = null;
    this.#asked = null;
    this.#patience.stop();
    this.node.remove();
    setText(this.#word, "");
  }

  /** Looks whether what was asked for has come. */
  hear(state: LensState): void {
    if (!this.#asked) return;
    const { grid, place, name, low } = this.#asked;
    const chart = state[grid][place];
    if (chart?.name === name && chart.is_zoomed !== (low !== null)) return;
    if (chart?.name === name && low !== null && Math.abs(chart.x[0] - low) > (chart.x[1] - chart.x[0]) / 100)
      return;
    this.cancel();
  }

  #say(words: string): void {
    setText(this.#word, words);
    show(this.#word, true);
  }

  #place({ card, area }: Found, from: number, to: number): void {
    const frame = card.getBoundingClientRect();
    if (this.node.parentElement !== card) card.append(this.node);
    Object.assign(this.node.style, {
      left: `${Math.min(from, to) - frame.left}px`,
      width: `${Math.abs(to - from)}px`,
      top: `${area.top - frame.top}px`,
      height: `${area.height}px`,
    });
  }
}
