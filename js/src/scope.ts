import type { AnyModel } from "@anywidget/types";

/** A wait that can be started again and again; it runs its action once at its end. */
export interface Delay {
  readonly waiting: boolean;
  /** Waits from now, forgetting a wait under way (a debounce). */
  restart(): void;
  /** Waits from now unless a wait is under way (a throttle whose last call counts). */
  start(): void;
  stop(): void;
}

/** The display that a panel is in; of displays within each other the outer one, which hears of keys last. */
function outermost(panel: Element): Element | null {
  let found: Element | null = null;
  for (let at = panel.closest(".runwidgets"); at; at = at.parentElement?.closest(".runwidgets") ?? null)
    found = at;
  return found;
}

function keepKey(event: Event): void {
  const { ctrlKey, metaKey, altKey } = event as KeyboardEvent;
  if (!(ctrlKey || metaKey || altKey)) event.stopPropagation();
}

/** The life of one view: whatever is taken through it is given back by `end`. */
export class Scope {
  readonly #life = new AbortController();

  /** For `addEventListener`. */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  readonly end = (): void => this.#life.abort();

  onEnd(action: () => void): void {
    this.signal.addEventListener("abort", action, { once: true });
  }

  /** Puts the panel into the host's element. */
  mount(host: HTMLElement, panel: HTMLElement): void {
    // Without this, JupyterLab takes arrows, Enter and letters typed on a tab or slider as notebook commands.
    panel.setAttribute("data-lm-suppress-shortcuts", "true");
    // The attribute alone does not help where the command is one of whatever has the focus (`:focus`): JupyterLab looks at
    // that first, and so takes ArrowLeft from a slider and Enter from a form.
    panel.addEventListener(
      "keydown",
      (event) => {
        const root = outermost(panel);
        if (root === null) keepKey(event);
        else root.addEventListener("keydown", keepKey); // the same once more is none more
      },
      { signal: this.signal },
    );
    host.append(panel);
    this.onEnd(() => panel.remove());
  }

  /** Calls `action` now and at every change of one of the traits. */
  // biome-ignore lint/suspicious/noExplicitAny: a model of any traits; AnyModel is invariant in them.
  watch(model: AnyModel<any>, traits: readonly string[], action: () => void): void {
    for (const trait of traits) {
      model.on(`change:${trait}`, action);
      this.onEnd(() => model.off(`change:${trait}`, action));
    }
    action();
  }

  every(milliseconds: number, action: () => void): void {
    const timer = setInterval(action, milliseconds);
    this.onEnd(() => clearInterval(timer));
  }

  delay(milliseconds: number, action: () => void): Delay {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = () => {
      clearTimeout(timer);
      timer = undefined;
    };
    const start = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        action();
      }, milliseconds);
    };
    this.onEnd(stop);
    return {
      get waiting() {
        return timer !== undefined;
      },
      start,
      stop,
      restart() {
        stop();
        start();
      },
    };
  }
}
