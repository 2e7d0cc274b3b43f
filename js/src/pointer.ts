import type { Frame } from "./frame";
import type { Scope } from "./scope";

export type Step = "next" | "previous" | "first" | "last";

export interface PointerActions {
  frame(): Frame | undefined;
  /** The pointer has moved, or gone. */
  moved(): void;
  /** From one pixel of the frame to another. */
  zoom(from: number, to: number): void;
  pick(left: number, top: number): void;
  step(to: Step): void;
  /** All of the axis again; whether it was not. */
  unzoom(): boolean;
}

const STEPS: Record<string, Step> = { ArrowRight: "next", ArrowLeft: "previous", Home: "first", End: "last" };
/** Less than this is a click that shook. */
const DRAG = 5;

/** Where the pointer, or the keyboard in its place, is over a plot. */
export class Pointer {
  /** In pixels of the frame; null where it is not over the plot. */
  at: { left: number; top: number; byKey: boolean } | null = null;
  /** From where to where it is being dragged. */
  get dragged(): [number, number] | null {
    if (this.#from === null || !this.at) return null;
    const to = this.#within(this.at.left);
    return Math.abs(to - this.#from) < DRAG ? null : [Math.min(this.#from, to), Math.max(this.#from, to)];
  }

  #from: number | null = null;
  readonly #actions: PointerActions;
  readonly #picture: SVGElement;

  constructor({ signal }: Scope, picture: SVGElement, actions: PointerActions) {
    this.#picture = picture;
    this.#actions = actions;
    const on = <K extends keyof SVGElementEventMap>(type: K, act: (event: SVGElementEventMap[K]) => void) =>
      picture.addEventListener(type, act as EventListener, { signal });
    on("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.#move(event);
      this.#from = this.#within(this.at?.left ?? 0);
      picture.setPointerCapture?.(event.pointerId);
    });
    on("pointermove", (event) => {
      this.#move(event);
      actions.moved();
    });
    on("pointerup", (event) => {
      if (this.#from === null) return;
      this.#move(event);
      const dragged = this.dragged;
      this.#from = null;
      if (dragged) actions.zoom(...dragged);
      else if (this.at) actions.pick(this.at.left, this.at.top);
    });
    on("pointercancel", () => this.leave());
    on("blur", () => this.leave());
    on("pointerleave", () => this.#from === null && this.leave());
    on("dblclick", () => actions.unzoom());
    on("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || !this.#press(event.key)) return;
      event.preventDefault();
      // Else Escape would shut the dialog that the plot may be in.
      event.stopPropagation();
    });
  }

  leave(): void {
    this.#from = null;
    this.at = null;
    this.#actions.moved();
  }

  #within(left: number): number {
    return Math.max(0, Math.min(this.#actions.frame()?.width ?? 0, left));
  }

  #move(event: MouseEvent): void {
    const box = this.#picture.getBoundingClientRect();
    const { left = 0, top = 0 } = this.#actions.frame() ?? {};
    this.at = { left: event.clientX - box.left - left, top: event.clientY - box.top - top, byKey: false };
  }

  #press(key: string): boolean {
    const step = STEPS[key];
    if (step) this.#actions.step(step);
    else if (key === "Enter" && this.at) this.#actions.pick(this.at.left, this.at.top);
    else if (key !== "Escape") return false;
    else if (this.#from === null) return this.#actions.unzoom();
    else this.leave();
    return true;
  }
}
