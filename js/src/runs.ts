import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import { KernelClock } from "./clock";
import { el, setAttr, setText, show } from "./dom";
import { emptyView } from "./empty";
import { formatNumber } from "./format";
import { VirtualGrid } from "./grid";
import { kernelIsGone } from "./kernel";
import { answerPopup, type PopupEvent } from "./popupevent";
import { countsView, runsBar } from "./runbar";
import { runCharts } from "./runcharts";
import { bestSoFar, type ColumnParts, type RunsColumn, runsColumns, usualColumns } from "./runcolumns";
import { matching, nextSorting, ordered } from "./runorder";
import { RunStore } from "./runstore";
import { Scope } from "./scope";
import { noteView } from "./table";
import type { Primary, RunRow, RunsControls, RunsMessage, RunsState, StatusGroup } from "./wire";

interface Traits {
  state: RunsState;
  controls: RunsControls;
}

/** So long an answer is waited for in silence. */
const SILENCE_MS = 300;
const COPIED_MS = 1500;
/** As many runs as Python takes. */
const MOST_SELECTED = 200;

function primaryOf(store: RunStore, { metric, goal }: RunsControls): Primary | null {
  const name = metric ?? store.primary?.name;
  if (name === undefined) return null;
  const suggested = store.columns[store.metricPlace(name)]?.goal ?? "minimize";
  const usual = name === store.primary?.name ? store.primary.goal : suggested;
  return { name, goal: goal ?? usual };
}

function render({ model, el: host }: RenderProps<Traits>, store: RunStore): () => void {
  const scope = new Scope();
  const { signal } = scope;
  const clock = new KernelClock();
  const controls = (): RunsControls => model.get("controls");
  const set = (change: Partial<RunsControls>) => {
    model.set("controls", { ...controls(), ...change });
    model.save_changes();
  };

  const parts: ColumnParts = { store, primary: null, best: new Map(), now: () => clock.now(), copy };
  let columns: RunsColumn[] = [];
  let shown: readonly RunRow[] = [];
  let ids: readonly string[] = [];
  let selected: ReadonlySet<string> = new Set();
  let charted = "";
  let openId: string | null = null;
  let wanted: string | null = null;

  const counts = countsView(signal, (status) => set({ status }));
  const bar = runsBar(
    scope,
    set,
    () => arrange(false),
    (id, isShown) => set({ columns: isShown ? [...ids, id] : ids.filter((one) => one !== id) }),
  );
  const grid = new VirtualGrid<RunRow>(
    store.what,
    {
      keyOf: ({ run_id }) => run_id,
      nameOf: ({ name }) => name,
      open: ({ run_id }) => open(run_id),
      sort: (id) => set({ sort: nextSorting(controls().sort, id) }),
      select(keys, isSelected) {
        const now = new Set(controls().selected);
        for (const key of keys) {
          if (!isSelected) now.delete(key);
          else if (now.size < MOST_SELECTED) now.add(key);
        }
        set({ selected: [...now] });
      },
      hover: (row) => charts.point(row?.run_id ?? null),
    },
    signal,
  );
  const charts = runCharts(scope, store, {
    pick: (runId) => grid.goTo(runId, false),
    hover: (runId) => grid.setSelected(selected, runId ?? openId),
    brush: (stays) => arrange(stays, false),
  });
  const waiting = noteView("rw-more rw-waiting");
  waiting.patch("");
  const nothing = noteView("rw-empty");
  const empty = emptyView(`No ${store.what} yet.`, `No ${store.what}.`);
  const box = el(
    "div",
    { class: "rw-runs-box" },
    counts.node,
    bar.node,
    bar.chooser,
    el("div", { class: "rw-grid-place" }, grid.node, nothing.node),
    charts.node,
  );
  const panel = el("div", { class: "rw-panel rw-runs" }, box, waiting.node, empty.node);
  scope.mount(host, panel);

  function copy(button: HTMLElement, text: string): void {
    const say = (word: string) => {
      setText(button, word);
      scope.delay(COPIED_MS, () => setText(button, "Copy")).start();
    };
    // Absent on pages that are not served securely.
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject();
    written.then(
      () => say("Copied"),
      () => say("Not copied"),
    );
  }

  /** Chooses and orders the rows; with `stays` what is looked at keeps its place. */
  function arrange(stays: boolean, isDrawn = true): void {
    const { status, sort } = controls();
    const rows = matching(store.rows, store.columns, bar.filter(), status);
    // Another order changes no chart.
    const now = JSON.stringify([store.seq, bar.filter(), status, parts.primary, ids, controls().selected]);
    if (isDrawn && now !== charted)
      charts.patch({ rows, primary: parts.primary, best: parts.best, selected, ids });
    if (isDrawn) charted = now;
    const within = charts.within();
    shown = ordered(within ? rows.filter(({ run_id }) => within.has(run_id)) : rows, columns, sort);
    grid.setRows(shown, stays);
    const all = store.rows.length;
    const said = [
      shown.length < all || store.total > all
        ? `showing ${formatNumber(shown.length)} of ${formatNumber(store.total)}`
        : "",
      selected.size > 0 ? `${formatNumber(selected.size)} selected` : "",
    ];
    bar.tell(said.filter(Boolean).join(" · "), selected.size);
    nothing.patch(all > 0 && shown.length === 0 ? "No run matches." : "");
  }

  function draw(stays: boolean): void {
    const now = controls();
    parts.primary = primaryOf(store, now);
    parts.best = parts.primary
      ? bestSoFar(store.rows, store.metricPlace(parts.primary.name), parts.primary.goal)
      : new Map();
    ids = now.columns ?? usualColumns(store, parts.primary);
    columns = runsColumns(ids, parts);
    grid.setColumns(columns, now.sort);
    grid.reserve(store.rows.length);
    bar.patch(store, now, parts.primary, ids);
    const byGroup = new Map<StatusGroup, number>();
    for (const { status_group } of store.rows)
      byGroup.set(status_group, (byGroup.get(status_group) ?? 0) + 1);
    counts.patch(byGroup, now.status);
    selected = new Set(now.selected);
    arrange(stays);
    grid.setSelected(selected, openId);
    const isAway = store.rows.length === 0 && store.total > 0;
    show(box, store.rows.length > 0);
    empty.patch(store.rows.length === 0 && !isAway);
  }

  store.watch(() => {
    clock.receive(store.sentAt);
    draw(true);
  }, signal);
  if (store.sentAt > 0) clock.receive(store.sentAt);
  let last = "";
  scope.watch(model, ["controls"], () => {
    // What is selected changes no order; what is chosen may change all of it.
    const { selected: _, ...rest } = controls();
    const text = JSON.stringify(rest);
    draw(text === last);
    last = text;
  });
  scope.every(1000, () => grid.refresh((row) => row.started_at !== null && row.ended_at === null));

  // ---- the run that is looked at in the pop-up, which is another widget of the same box

  const patience = scope.delay(SILENCE_MS, () => {
    const gone = kernelIsGone(host, model.widget_manager);
    waiting.patch(gone ? "The kernel is gone: no run can be opened." : "Waiting for Python …");
  });
  function open(runId: string): void {
    const row = store.row(runId);
    if (!row) return;
    wanted = runId;
    follow();
    patience.restart();
    model.send({ kind: "open", run_id: runId, name: row.name } satisfies RunsMessage);
  }
  const onPopup = (event: PopupEvent) => {
    const { detail } = event;
    event.stopPropagation();
    const place = shown.findIndex(({ run_id }) => run_id === detail.run_id);
    if (detail.kind === "step") {
      const next = shown[place < 0 ? 0 : place + detail.by];
      if (next) {
        grid.goTo(next.run_id, false);
        detail.next = { run_id: next.run_id, name: next.name, place: shown.indexOf(next), of: shown.length };
        detail.go = () => open(next.run_id);
      }
      return;
    }
    if (detail.kind === "shown") {
      patience.stop();
      waiting.patch("");
      detail.focus = wanted === detail.run_id;
      detail.next = { run_id: detail.run_id, name: "", place, of: shown.length };
      openId = detail.run_id;
    } else {
      openId = null;
      wanted = null;
      grid.goTo(detail.run_id, true);
    }
    grid.setSelected(selected, openId);
  };
  let stop: (() => void) | null = null;
  function follow(): void {
    stop ??= answerPopup(host, onPopup);
  }
  const attached = new ResizeObserver(follow);
  attached.observe(host);
  scope.onEnd(() => {
    attached.disconnect();
    stop?.();
  });
  setAttr(panel, "data-what", store.what);
  return scope.end;
}

/** One store a model, whatever views it has: patches come to the model. */
export default () => {
  const store = new RunStore();
  const life = new AbortController();
  return {
    initialize({ model }: InitializeProps<Traits>): () => void {
      store.follow(model as AnyModel<Traits>, life.signal);
      return () => life.abort();
    },
    render: (props: RenderProps<Traits>) => render(props, store),
  };
};
