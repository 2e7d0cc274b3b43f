import { vi } from "vitest";

const observers = new Set<Sizes>();
const watchers = new Set<Sights>();

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

/** An `IntersectionObserver` that sees what a test says. */
class Sights {
  readonly #tell: IntersectionObserverCallback;

  constructor(tell: IntersectionObserverCallback) {
    this.#tell = tell;
    watchers.add(this);
  }

  observe(): void {}

  disconnect(): void {
    watchers.delete(this);
  }

  tell(height: number): void {
    const entry = { isIntersecting: true, intersectionRect: { height } } as IntersectionObserverEntry;
    this.#tell([entry], this as unknown as IntersectionObserver);
  }
}

/** From now on everything is 600 pixels wide, and nothing in sight. */
export function layOut(): void {
  observers.clear();
  watchers.clear();
  vi.stubGlobal("ResizeObserver", Sizes);
  vi.stubGlobal("IntersectionObserver", Sights);
}

export function resizeAll(width: number): void {
  for (const observer of observers) observer.tell(width);
}

export function bringIntoSight(height = 100): void {
  for (const watcher of watchers) watcher.tell(height);
}

export const observerCount = (): number => observers.size + watchers.size;
