import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import { vi } from "vitest";

type Handler = (message?: unknown, buffers?: DataView[]) => void;

/** As much of a widget model as the panels use: one state, set from either side, listeners that can be counted. */
export class MockModel<T extends object> {
  readonly handlers = new Map<string, Set<Handler>>();
  readonly save_changes = vi.fn();
  readonly send = vi.fn();
  #traits: T;

  constructor(traits: T) {
    this.#traits = { ...traits };
  }

  get listenerCount(): number {
    return [...this.handlers.values()].reduce((sum, handlers) => sum + handlers.size, 0);
  }

  get = <K extends keyof T>(name: K): T[K] => this.#traits[name];

  set = <K extends keyof T>(name: K, value: T[K]): void => {
    this.#traits[name] = value;
    for (const handler of [...(this.handlers.get(`change:${String(name)}`) ?? [])]) handler();
  };

  /** What Python sends to the views. */
  receive(message: unknown, buffers: DataView[] = []): void {
    for (const handler of [...(this.handlers.get("msg:custom") ?? [])]) handler(message, buffers);
  }

  on = (event: string, handler: Handler): void => {
    this.handlers.set(event, (this.handlers.get(event) ?? new Set()).add(handler));
  };

  off = (event: string, handler: Handler): void => {
    this.handlers.get(event)?.delete(handler);
  };
}

interface Panel<T extends object> {
  initialize?(props: InitializeProps<T>): () => void;
  render(props: RenderProps<T>): () => void;
}

/** Renders a panel into the page and gives what a test needs to look at it. */
export function mount<T extends object>(panel: Panel<T>, traits: T) {
  const model = new MockModel<T>(traits);
  const host = document.createElement("div");
  document.body.append(host);
  // The panels use model and el; the rest of anywidget's props would be dead weight here.
  const props = { model: model as unknown as AnyModel<T>, el: host } as unknown as RenderProps<T>;
  const forget = panel.initialize?.({ model: props.model } as unknown as InitializeProps<T>);
  const leave = panel.render(props);
  const end = () => {
    leave();
    forget?.();
  };
  const find = <E extends Element = HTMLElement>(selector: string): E => {
    const found = host.querySelector<E>(selector);
    if (!found) throw new Error(`nothing matches ${selector}`);
    return found;
  };
  const all = <E extends Element = HTMLElement>(selector: string): E[] => [
    ...host.querySelectorAll<E>(selector),
  ];
  const texts = (selector: string): string[] => all(selector).map((node) => node.textContent ?? "");
  return { model, host, end, find, all, texts };
}

export function button(nodes: HTMLElement[], label: string): HTMLElement {
  const found = nodes.find((node) => node.textContent === label || node.getAttribute("aria-label") === label);
  if (!found) throw new Error(`no button ${label}`);
  return found;
}

export function press(node: Element, key: string): void {
  node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

export function type(input: HTMLInputElement, text: string): void {
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Everything a panel may show as a name, and that must never become an element. */
export const HOSTILE = '<img src=x onerror="alert(1)"><b>bold</b>';
