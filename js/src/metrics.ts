import type { RenderProps } from "@anywidget/types";
import { el, setAttr, setText, show } from "./dom";
import { emptyView } from "./empty";
import { formatNumber } from "./format";
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

const labelOf = ({ name, column }: MetricRow): string => (column === null ? name : `${name} · ${column}`);

function marksOf({ nan_count, inf_count }: MetricRow): string {
  const marks = [];
  if (nan_count > 0) marks.push(`${formatNumber(nan_count)} NaN`);
  if (inf_count > 0) marks.push(`${formatNumber(inf_count)} Inf`);
  return marks.length > 0 ? `⚠ ${marks.join(", ")}` : "";
}

function numeric(id: "last" | "min" | "max" | "count"): Column<MetricRow> {
  return {
    id,
    title: id,
    align: "right",
    sortBy: (row) => sortKey(row[id]),
    cell: valueCell((row) => row[id]),
  };
}

const COLUMNS: readonly Column<MetricRow>[] = [
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
  numeric("count"),
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
];

function pagerView(signal: AbortSignal, turn: (by: 1 | -1) => void) {
  const range = el("span", { class: "rw-pager-range", role: "status" });
  const button = (sign: string, label: string, by: 1 | -1) => {
    const made = el(
      "button",
      { class: "rw-button", type: "button", "aria-label": label, title: label },
      sign,
    );
    // aria-disabled keeps the focus at the last page, where `disabled` would throw it away.
    made.addEventListener("click", () => made.getAttribute("aria-disabled") !== "true" && turn(by), {
      signal,
    });
    return made;
  };
  const back = button("‹", "Previous charts", -1);
  const on = button("›", "Next charts", 1);
  const node = el("div", { class: "rw-pager" }, range, back, on);
  return {
    node,
    patch({ chart_count, page, page_count, page_size }: MetricsState, asked: number) {
      show(node, page_count > 1);
      const first = page * page_size + 1;
      const last = Math.min(chart_count, first + page_size - 1);
      setText(range, `charts ${formatNumber(first)}–${formatNumber(last)} of ${formatNumber(chart_count)}`);
      setAttr(back, "aria-disabled", String(asked <= 0));
      setAttr(on, "aria-disabled", String(asked >= page_count - 1));
    },
  };
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
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
  table.setColumns(COLUMNS);
  const more = noteView("rw-more");
  const empty = emptyView("No metrics yet. They appear here with run.log(name, value).", "No metrics.");
  // The page asked for, which is ahead of the page shown while Python draws.
  const asked = () => Math.max(0, Math.min(model.get("controls").page, model.get("state").page_count - 1));
  const pager = pagerView(scope.signal, (by) => set({ page: asked() + by }));

  const update = () => {
    const state = model.get("state");
    const typed = toolbar.filter().trim();
    const wanted = typed.toLowerCase();
    // Python filters too, over all metrics; this answers at once for the rows that are here.
    const rows = state.rows.filter((row) => labelOf(row).toLowerCase().includes(wanted));
    const none = state.total === 0;
    show(toolbar.node, !none);
    show(table.node, rows.length > 0);
    table.update(rows);
    const cut = rows.length > 0 && state.matching > state.rows.length;
    more.patch(
      cut ? `showing ${formatNumber(rows.length)} of ${formatNumber(state.matching)}: filter to narrow` : "",
    );
    empty.patch(none, none || rows.length > 0 ? "" : `No metric matches “${typed}”.`);
    pager.patch(state, asked());
  };
  const toolbar = toolbarView(scope, set, update);

  scope.mount(
    host,
    el("div", { class: "rw-panel rw-metrics" }, toolbar.node, table.node, more.node, empty.node, pager.node),
  );
  scope.watch(model, ["controls"], () => toolbar.patch(model.get("controls")));
  scope.watch(model, ["state", "controls"], update);
  return scope.end;
}

export default { render };
