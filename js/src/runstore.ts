import type { AnyModel } from "@anywidget/types";
import { tell } from "./kernel";
import type { Primary, RunColumn, RunRow, RunsMessage, RunsPatch, RunsState } from "./wire";

/** The runs of one model: its state, and the patches that came since. All views of the model share it. */
export class RunStore {
  what = "runs";
  columns: readonly RunColumn[] = [];
  rows: RunRow[] = [];
  total = 0;
  primary: Primary | null = null;
  sentAt = 0;
  #seq = -1;
  #places = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  get seq(): number {
    return this.#seq;
  }

  row(runId: string): RunRow | undefined {
    const place = this.#places.get(runId);
    return place === undefined ? undefined : this.rows[place];
  }

  /** Where the values of a metric of this name lie; -1 where no run has it. */
  metricPlace(name: string | undefined): number {
    return this.columns.findIndex((column) => column.source === "metric" && column.name === name);
  }

  /** Calls `listener` at every change, until `signal` ends it. */
  watch(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  take(state: RunsState): void {
    this.what = state.what;
    this.columns = state.columns;
    this.rows = [...state.rows];
    this.#index();
    this.#note(state);
  }

  /** Gives whether the patch could be used: one before it may be missing. */
  patch(patch: RunsPatch): boolean {
    if (patch.seq <= this.#seq) return true;
    if (patch.seq !== this.#seq + 1) return false;
    if (patch.columns) this.columns = patch.columns;
    if (patch.removed.length > 0) {
      const gone = new Set(patch.removed);
      this.rows = this.rows.filter(({ run_id }) => !gone.has(run_id));
      this.#index();
    }
    for (const row of patch.rows) {
      const place = this.#places.get(row.run_id);
      if (place === undefined) this.#places.set(row.run_id, this.rows.push(row) - 1);
      else this.rows[place] = row;
    }
    this.#note(patch);
    return true;
  }

  #index(): void {
    this.#places = new Map(this.rows.map(({ run_id }, place) => [run_id, place]));
  }

  #note({ seq, total, primary, sent_at }: RunsState | RunsPatch): void {
    this.#seq = seq;
    this.total = total;
    this.primary = primary;
    this.sentAt = sent_at;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Follows a model for as long as it lives, and tells Python what is known: patches may have come before this. */
  // biome-ignore lint/suspicious/noExplicitAny: a model of any traits; AnyModel is invariant in them.
  follow(model: AnyModel<any>, signal: AbortSignal): void {
    let asked = false;
    const ask = () => {
      asked = true;
      tell(model, { kind: "have", seq: this.#seq } satisfies RunsMessage);
    };
    const take = () => {
      asked = false;
      this.take(model.get("state"));
    };
    const receive = (message: RunsPatch) => {
      if (message?.kind === "patch" && !this.patch(message) && !asked) ask();
    };
    model.on("change:state", take);
    model.on("msg:custom", receive);
    signal.addEventListener("abort", () => {
      model.off("change:state", take);
      model.off("msg:custom", receive);
    });
    take();
    ask();
  }
}
