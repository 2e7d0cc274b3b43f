import type { InitializeProps, RenderProps } from "@anywidget/types";
import { el, setAttr, show } from "./dom";
import { emptyView } from "./empty";
import { digitsToTell, formatNumber } from "./format";
import { pagerView } from "./pager";
import { PatchedMetrics } from "./patched";
import { rowsView } from "./rows";
import { Scope } from "./scope";
import { sortKey } from "./sorting";
import { sparkCell } from "./spark";
import { type Column, DataTable, noteView, textCell, valueCell } from "./table";
import { toolbarView } from "./toolbar";
import type { MetricRow, MetricsControls, MetricsState } from "./wire";

interface Traits {
  state: MetricsState;
  controls: MetricsControls;
}

/** So many rows need no filter. */
const FEW = 5;

const labelOf = ({ name, column }: MetricRow): string => (column === null ? name : `${name} · ${column}`);

function marksOf({ nan_count, inf_count }: MetricRow): string {
  const marks = [];
  if (nan_count > 0) marks.push(`${formatNumber(nan_count)} NaN`);
  if (inf_count > 0) marks.push(`${formatNumber(inf_count)} Inf`);
  return marks.length > 0 ? `⚠ ${marks.join(", ")}` : "";
}

type Numbers = "last" | "min" | "max";

const digitsOf = ({ last, min, max }: MetricRow): number => digitsToTell([last, min, max]);

function numeric(id: Numbers): Column<MetricRow> {
  return {
    id,
    title: id,
    align: "right",
    sortBy: (row) => sortKey(row[id]),
    cell: valueCell((row) => row[id], digitsOf),
  };
}

const columnsOf = (signal: AbortSignal, showRows: (name: string) => void): Column<MetricRow>[] => [
  {
    id: "metric",
    title: "metric",
    align: "left",
    namesRow: true,
    sortBy: labelOf,
    cell: textCell((row) => [labelOf(row), labelOf(row)]),
  },
  numeric("last"),
  numeric("min"),
  numeric("max"),
  {
    id: "count",
    title: "count",
    align: "right",
    sortBy: (row) => row.count,
    cell: valueCell((row) => row.count),
  },
  {
    id: "spark",
    title: "trend",
    align: "right",
    cell: (cell) => {
      const draw = sparkCell(cell);
      return (row) => draw(row.spark);
    },
  },
  {
    id: "marks",
    title: "not finite",
    align: "right",
    cell: (cell) => {
      cell.classList.add("rw-marks");
      return textCell<MetricRow>((row) => [marksOf(row)])(cell);
    },
  },
  {
    id: "rows",
    title: "rows",
    align: "right",
    cell: (cell) => {
      cell.classList.add("rw-rows-cell");
      const button = el("button", { class: "rw-button rw-rows-button", type: "button" }, "rows");
      let name = "";
      button.addEventListener("click", () => showRows(name), { signal });
      cell.append(button);
      return (row) => {
        name = row.name;
        setAttr(button, "aria-label", `Rows of ${name}`);
      };
    },
  },
];

function render({ model, el: host }: RenderProps<Traits>, metrics: PatchedMetrics): () => void {
  const scope = new Scope();
  const set = (change: Partial<MetricsControls>) => {
    model.set("controls", { ...model.get("controls"), ...change });
    model.save_changes();
  };
  const table = new DataTable<MetricRow>(
    "Metrics",
    ({ name, column }) => JSON.stringify([name, column]),
    scope.signal,
  );
  const logged = rowsView(scope, model);
  table.setColumns(columnsOf(scope.signal, logged.toggle));
  const more = noteView("rw-more");
  const empty = emptyView("No metrics yet. They appear here with run.log(name, value).", "No metrics.");
  // The page asked for, which is ahead of the page shown while Python draws.
  const asked = () => Math.max(0, Math.min(model.get("controls").page, metrics.state.page_count - 1));
  const pager = pagerView("charts", scope.signal, (by) => set({ page: asked() + by }));

  const update = () => {
    const { state } = metrics;
    const typed = toolbar.filter().trim();
    const wanted = typed.toLowerCase();
    // Python filters too, over all metrics; this answers at once for the rows that are here.
    const rows = state.rows.filter((row) => labelOf(row).toLowerCase().includes(wanted));
    const none = state.total === 0;
    // Without charts there is nothing to control; but what a filter hides may come back.
    toolbar.show(!none && (typed !== "" || state.total > FEW), state.chart_count > 0 || typed !== "");
    show(table.node, rows.length > 0);
    table.update(rows);
    const cut = rows.length > 0 && state.matching > state.rows.length;
    more.patch(
      cut ? `showing ${formatNumber(rows.length)} of ${formatNumber(state.matching)}: filter to narrow` : "",
    );
    empty.patch(none, none || rows.length > 0 ? "" : `No metric matches “${typed}”.`);
    const { chart_count, page, page_count, page_size } = state;
    const first = page * page_size + 1;
    const last = Math.min(chart_count, first + page_size - 1);
    show(pager.node, page_count > 1);
    pager.patch(
      `charts ${formatNumber(first)}–${formatNumber(last)} of ${formatNumber(chart_count)}`,
      asked() > 0,
      asked() < page_count - 1,
    );
  };
  const toolbar = toolbarView(scope, set, update);

  scope.mount(
    host,
    el(
      "div",
      { class: "rw-panel rw-metrics" },
      toolbar.node,
      table.node,
      more.node,
      empty.node,
      logged.node,
      pager.node,
    ),
  );
  scope.watch(model, ["controls"], () => toolbar.patch(model.get("controls")));
  scope.watch(model, ["controls"], update);
  metrics.watch(scope, () => {
    update();
    logged.refresh();
  });
  return scope.end;
}

export default () => {
  const metrics = new PatchedMetrics();
  return {
    initialize: ({ model }: InitializeProps<Traits>) => metrics.follow(model),
    render: (props: RenderProps<Traits>) => render(props, metrics),
  };
};
