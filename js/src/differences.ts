import type { RenderProps } from "@anywidget/types";
import { el, setAttr, setText, show } from "./dom";
import { exactText, formatNumber, formatValue } from "./format";
import { Scope } from "./scope";
import { sortKey } from "./sorting";
import { type Column, DataTable, noteView } from "./table";
import type { DifferenceRow, DifferencesState } from "./wire";

interface Traits {
  state: DifferencesState;
}

const nameColumn: Column<DifferenceRow> = {
  id: "parameter",
  title: "parameter",
  align: "left",
  namesRow: true,
  sortBy: ({ name }) => name,
  cell: (cell) => {
    const kind = el("span", { class: "rw-muted rw-difference-kind" });
    const name = el("span");
    cell.append(kind, name);
    return (row) => {
      setText(kind, row.kind);
      setText(name, row.name);
      setAttr(cell, "title", `${row.kind} ${row.name}`);
    };
  },
};

function runColumn({ id, name }: { id: string; name: string }, place: number): Column<DifferenceRow> {
  return {
    // By position too: rows hold their values by position.
    id: `${place} ${id} ${name}`,
    title: name,
    align: "left",
    sortBy: (row) => sortKey(row.values[place] ?? null),
    cell: (cell) => (row) => {
      const value = row.values[place] ?? null;
      setText(cell, formatValue(value));
      setAttr(cell, "title", exactText(value) || null);
      cell.classList.toggle("rw-none", value === null);
      // Against the first run, so that a look along the row tells who is the odd one.
      const other = row.differs && exactText(value) !== exactText(row.values[0] ?? null);
      cell.classList.toggle("rw-differs", place > 0 && other);
    },
  };
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const table = new DataTable<DifferenceRow>(
    "Parameters of the runs",
    ({ kind, name }) => JSON.stringify([kind, name]),
    scope.signal,
  );
  const all = el("input", { type: "checkbox" });
  const toggle = el("label", { class: "rw-field" }, all, "also what is alike");
  const count = el("span", { class: "rw-muted" });
  const title = el("h4", { class: "rw-compare-title" }, "Differences");
  const trouble = noteView("rw-overlay-trouble");
  const empty = noteView("rw-empty");
  const more = noteView("rw-more");
  const bar = el("div", { class: "rw-toolbar" }, title, count, toggle);
  const panel = el(
    "section",
    { class: "rw-panel rw-differences", "aria-label": "Differences of the runs" },
    bar,
    trouble.node,
    table.node,
    more.node,
    empty.node,
  );
  scope.mount(host, panel);
  const draw = () => {
    const { runs, rows, differing, total, run_total, trouble: why } = model.get("state");
    const enough = runs.length > 1;
    const shown = all.checked ? rows : rows.filter(({ differs }) => differs);
    show(panel, runs.length > 0 || why !== null);
    show(toggle, enough);
    setText(count, enough ? `${formatNumber(differing)} of ${formatNumber(total)} parameters differ` : "");
    trouble.patch(why === null ? "" : `⚠ ${why}`);
    table.setColumns([nameColumn, ...runs.map(runColumn)]);
    table.update(enough ? shown : []);
    show(table.node, enough && shown.length > 0);
    const notes = [];
    const listed = all.checked ? total : differing;
    if (shown.length < listed) notes.push(`showing ${formatNumber(shown.length)} of ${formatNumber(listed)}`);
    if (runs.length < run_total) notes.push(`first ${runs.length} of ${formatNumber(run_total)} runs`);
    more.patch(enough ? notes.join(", ") : "");
    const alike =
      total === 0 ? "Nothing is known of how these runs were made." : "These runs were made alike.";
    empty.patch(
      enough ? (shown.length === 0 ? alike : "") : "Select a second run to see in what they differ.",
    );
  };
  all.addEventListener("change", draw, { signal: scope.signal });
  scope.watch(model, ["state"], draw);
  return scope.end;
}

export default { render };
