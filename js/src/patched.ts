import type { AnyModel } from "@anywidget/types";
import { tell } from "./kernel";
import type { Scope } from "./scope";
import type { MetricsPatch, MetricsState, WholeRequest } from "./wire";

/**
 * The state of the metrics: Python sends it whole to who opens or reloads the page, and to who was there only what is
 * new. It belongs to the model, not to a view, and is kept here: the trait is Python's to set.
 */
export class PatchedMetrics {
  #state: MetricsState | undefined;
  readonly #actions = new Set<() => void>();

  /** Follows the model, and gives what ends that. */
  // biome-ignore lint/suspicious/noExplicitAny: a model of any traits; AnyModel is invariant in them.
  follow(model: AnyModel<any>): () => void {
    const whole = () => {
      this.#state = model.get("state");
      for (const action of this.#actions) action();
    };
    const receive = (message: MetricsPatch) => {
      const before = this.#state;
      if (message?.kind !== "patch" || !before) return;
      if (message.version <= before.version) return; // it was in what was sent whole since
      if (message.version !== before.version + 1) {
        tell(model, { kind: "whole" } satisfies WholeRequest);
        return;
      }
      const { kind: _, rows: changed, ...rest } = message;
      const rows = [...before.rows];
      for (const [place, row] of changed) rows[place] = row;
      this.#state = { ...before, ...rest, rows };
      for (const action of this.#actions) action();
    };
    model.on("change:state", whole);
    model.on("msg:custom", receive);
    whole();
    return () => {
      model.off("change:state", whole);
      model.off("msg:custom", receive);
    };
  }

  get state(): MetricsState {
    if (!this.#state) throw new Error("a view before its model");
    return this.#state;
  }

  /** Calls `action` now and at every change. */
  watch(scope: Scope, action: () => void): void {
    this.#actions.add(action);
    scope.onEnd(() => this.#actions.delete(action));
    action();
  }
}
