import type { RenderProps } from "@anywidget/types";
import { KernelClock } from "./clock";
import { el, show } from "./dom";
import { emptyView } from "./empty";
import { formatAgo, formatDuration, formatMoment, formatNumber, formatStart, NONE } from "./format";
import { Scope } from "./scope";
import { sortKey } from "./sorting";
import { statusView } from "./status";
import { type Column, DataTable, noteView, textCell, valueCell } from "./table";
import type { ChildRow, ChildrenState } from "./wire";

interface Traits {
  state: ChildrenState;
}

function secondsOf({ started_at, ended_at }: ChildRow, now: number): number | null {
  return started_at === null ? null : (ended_at ?? now) - started_at;
}

function columnsOf(names: readonly string[], clock: KernelClock): Column<ChildRow>[] {
  return [
    {
      id: "number",
      title: "#",
      align: "right",
      sortBy: (row) => row.number,
      cell: textCell((row) => [row.number === null ? NONE : String(row.number)]),
    },
    {
      id: "name",
      title: "name",
      align: "left",
      namesRow: true,
      sortBy: (row) => row.name,
      cell: textCell((row) => [row.name, `${row.name}\n${row.run_id}`]),
    },
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
    ...names.map(
      (name, index): Column<ChildRow> => ({
        // By position too: rows hold their values by position.
        id: `value ${index} ${name}`,
        title: name,
        align: "right",
        sortBy: (row) => sortKey(row.values[index] ?? null),
        cell: valueCell((row) => row.values[index] ?? null),
      }),
    ),
    {
      id: "started",
      title: "started",
      align: "right",
      sortBy: (row) => row.started_at,
      cell: textCell((row) => {
        if (row.started_at === null) return [NONE];
        const now = clock.now();
        const full = `${formatMoment(row.started_at)}, ${formatAgo(now - row.started_at)}`;
        return [formatStart(row.started_at, now), full];
      }),
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
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const clock = new KernelClock();
  const table = new DataTable<ChildRow>("Child runs", ({ run_id }) => run_id, scope.signal);
  const more = noteView("rw-more");
  const empty = emptyView("No child runs yet.", "No child runs.");
  scope.mount(host, el("div", { class: "rw-panel rw-children" }, table.node, more.node, empty.node));

  scope.watch(model, ["state"], () => {
    const { columns, rows, total, sent_at } = model.get("state");
    clock.receive(sent_at);
    table.setColumns(columnsOf(columns, clock));
    table.update(rows);
    show(table.node, rows.length > 0);
    const cut = rows.length > 0 && total > rows.length;
    more.patch(cut ? `showing ${formatNumber(rows.length)} of ${formatNumber(total)}` : "");
    empty.patch(rows.length === 0);
  });
  scope.every(1000, () => table.refresh((row) => row.started_at !== null && row.ended_at === null));
  return scope.end;
}

export default { render };
