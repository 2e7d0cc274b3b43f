import type { RenderProps } from "@anywidget/types";
import { KernelClock } from "./clock";
import { el, setAttr, setText, show } from "./dom";
import { formatAgo, formatDuration, formatMoment, formatNumber, NONE } from "./format";
import { KeyedList } from "./keyed";
import { Scope } from "./scope";
import { statusView } from "./status";
import { type Column, DataTable, noteView, textCell, valueCell } from "./table";
import type { FoundMessage, OverviewExperiment, OverviewRun, OverviewState, OverviewWorkspace } from "./wire";

interface Traits {
  state: OverviewState;
}

/** A cell that leads to a page, where there are pages. */
function linkCell<Row extends { href: string | null }>(
  read: (row: Row) => [text: string, full?: string],
): Column<Row>["cell"] {
  return (cell) => {
    const link = el("a", { class: "rw-link" });
    cell.append(link);
    return (row) => {
      const [text, full] = read(row);
      setText(link, text);
      setAttr(link, "title", full ?? text);
      setAttr(link, "href", row.href);
    };
  };
}

function whenCell<Row>(clock: KernelClock, read: (row: Row) => number | null): Column<Row>["cell"] {
  return textCell((row) => {
    const at = read(row);
    return at === null ? [NONE] : [formatAgo(clock.now() - at), formatMoment(at)];
  });
}

function secondsOf({ started_at, ended_at }: OverviewRun, now: number): number | null {
  return started_at === null ? null : (ended_at ?? now) - started_at;
}

const runColumns = (clock: KernelClock, severalWorkspaces: () => boolean): Column<OverviewRun>[] => [
  {
    id: "status",
    title: "status",
    align: "left",
    sortBy: (row) => row.status,
    cell: (cell) => {
      const status = statusView();
      cell.append(status.node);
      return (row) => status.patch(row.status, row.status_group);
    },
  },
  {
    id: "name",
    title: "run",
    align: "left",
    namesRow: true,
    sortBy: (row) => row.name,
    cell: linkCell((row) => [row.name, `${row.name}\n${row.run_id}`]),
  },
  {
    id: "experiment",
    title: "experiment",
    align: "left",
    sortBy: (row) => row.experiment,
    cell: textCell((row) => {
      const number = row.number === null ? "" : ` #${row.number}`;
      return [`${severalWorkspaces() ? `${row.workspace} / ` : ""}${row.experiment}${number}`];
    }),
  },
  {
    id: "started",
    title: "started",
    align: "right",
    sortBy: (row) => row.started_at,
    cell: whenCell(clock, (row) => row.started_at),
  },
  {
    id: "duration",
    title: "duration",
    align: "right",
    sortBy: (row) => secondsOf(row, clock.now()),
    cell: textCell((row) => {
      const seconds = secondsOf(row, clock.now());
      return [seconds === null ? NONE : formatDuration(seconds)];
    }),
  },
];

const experimentColumns = (
  clock: KernelClock,
  severalWorkspaces: () => boolean,
): Column<OverviewExperiment>[] => [
  {
    id: "name",
    title: "experiment",
    align: "left",
    namesRow: true,
    sortBy: (row) => row.name,
    cell: linkCell((row) => [
      `${severalWorkspaces() ? `${row.workspace} / ` : ""}${row.name}${row.is_archived ? " (archived)" : ""}`,
    ]),
  },
  {
    id: "runs",
    title: "runs",
    align: "right",
    sortBy: (row) => row.run_count,
    cell: valueCell((row) => row.run_count),
  },
  {
    id: "running",
    title: "running",
    align: "right",
    sortBy: (row) => row.running,
    cell: textCell((row) => [row.running === 0 ? NONE : formatNumber(row.running)]),
  },
  {
    id: "last",
    title: "last activity",
    align: "right",
    sortBy: (row) => row.last_at,
    cell: whenCell(clock, (row) => row.last_at),
  },
];

function section(title: string, ...content: HTMLElement[]) {
  const note = el("span", { class: "rw-muted" });
  const head = el("h3", { class: "rw-home-title" }, title, note);
  return { node: el("section", { class: "rw-home-part" }, head, ...content), note };
}

function workspaceView(workspace: OverviewWorkspace) {
  const name = el("a", { class: "rw-link" }, workspace.name);
  const compute = el("a", { class: "rw-link rw-muted" }, "compute");
  const trouble = el("span", { class: "rw-home-trouble", role: "status" });
  return {
    node: el("li", { class: "rw-home-workspace" }, name, compute, trouble),
    patch({ href, compute_href, trouble: told }: OverviewWorkspace) {
      setAttr(name, "href", href);
      setAttr(compute, "href", compute_href);
      show(compute, compute_href !== null);
      setText(trouble, told === null ? "" : `⚠ ${told}`);
    },
  };
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const clock = new KernelClock();
  const several = () => model.get("state").workspaces.length > 1;
  const keyOf = (row: OverviewRun) => `${row.workspace}/${row.run_id}`;

  const search = el("input", {
    class: "rw-search rw-home-search",
    type: "search",
    placeholder: "Find runs: words, or metrics.loss < 1",
    "aria-label": "Find runs by name, tag or id",
  });
  const runTable = (label: string) => {
    const table = new DataTable<OverviewRun>(label, keyOf, scope.signal);
    table.setColumns(runColumns(clock, several));
    return table;
  };
  const found = runTable("Runs found");
  const running = runTable("Running");
  const recent = runTable("Latest runs");
  const experiments = new DataTable<OverviewExperiment>(
    "Experiments",
    ({ workspace, name }) => `${workspace}/${name}`,
    scope.signal,
  );
  experiments.setColumns(experimentColumns(clock, several));

  const workspaceList = el("ul", { class: "rw-home-workspaces", "aria-label": "Workspaces" });
  const workspaces = new KeyedList<OverviewWorkspace>(workspaceList, ({ name }) => name, workspaceView);
  const foundNote = noteView("rw-more");
  const nothing = noteView("rw-empty");
  const parts = {
    found: section("Found", found.node, foundNote.node),
    running: section("Running", running.node),
    recent: section("Latest runs", recent.node),
    experiments: section("Experiments", experiments.node),
  };

  const ask = scope.delay(150, () => {
    const text = search.value.trim();
    if (text === "") showFound(null);
    else model.send({ kind: "search", text });
  });
  search.addEventListener("input", () => ask.restart(), { signal: scope.signal });

  const showFound = (message: FoundMessage | null) => {
    show(parts.found.node, message !== null);
    found.update(message?.runs ?? []);
    show(found.node, (message?.runs.length ?? 0) > 0);
    if (message === null) foundNote.patch("");
    else if (message.trouble) foundNote.patch(message.trouble);
    else if (message.runs.length === 0) foundNote.patch(`No run is found by “${message.text}”.`);
    else foundNote.patch(message.is_all ? "" : "The newest of them; say more to find others.");
  };
  const receive = (message: FoundMessage) => {
    if (message?.kind === "found" && message.text === search.value.trim()) showFound(message);
  };
  model.on("msg:custom", receive);
  scope.onEnd(() => model.off("msg:custom", receive));

  scope.mount(
    host,
    el(
      "div",
      { class: "rw-panel rw-home" },
      el("div", { class: "rw-home-bar" }, search, workspaceList),
      parts.found.node,
      nothing.node,
      parts.running.node,
      parts.recent.node,
      parts.experiments.node,
    ),
  );
  showFound(null);
  scope.watch(model, ["state"], () => {
    const state = model.get("state");
    clock.receive(state.sent_at);
    workspaces.update(state.workspaces);
    running.update(state.running);
    recent.update(state.recent);
    experiments.update(state.experiments);
    show(parts.running.node, state.running.length > 0);
    show(parts.recent.node, state.recent.length > 0);
    show(parts.experiments.node, state.experiments.length > 0);
    const shown = (count: number, total: number) =>
      total > count ? ` ${formatNumber(count)} of ${formatNumber(total)}` : ` ${formatNumber(total)}`;
    setText(parts.running.note, shown(state.running.length, state.running_total));
    setText(parts.experiments.note, shown(state.experiments.length, state.experiments_total));
    nothing.patch(
      state.experiments.length > 0
        ? ""
        : "No run has been recorded yet. Experiment(Workspace.from_config(), name).start_logging() begins one.",
    );
  });
  scope.every(5000, () => {
    running.refresh(() => true);
    recent.refresh(() => true);
    experiments.refresh(() => true);
  });
  return scope.end;
}

export default { render };
