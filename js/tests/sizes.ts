import { vi } from "vitest";

const observers = new Set<Sizes>();

/** A `ResizeObserver` that tells what a test says: there is no layout here. */
class Sizes {
  readonly #tell: ResizeObserverCallback;

  constructor(tell: ResizeObserverCallback) {
    this.#tell = tell;
    observers.add(this);
  }

  observe(): void {
    this.tell(600);
  }

  unobserve(): void {}

  disconnect(): void {
    observers.delete(this);
  }

  tell(width: number): void {
    this.#tell([{ contentRect: { width } } as ResizeObserverEntry], this as unknown as ResizeObserver);
  }
}

/** From now on everything is 600 pixels wide. */
export function layOut(): void {
  observers.clear();
  vi.stubGlobal("ResizeObserver", Sizes);
}

export function resizeAll(width: number): void {
  for (const observer of observers) observer.tell(width);
}

export const observerCount = (): number => observers.size;
