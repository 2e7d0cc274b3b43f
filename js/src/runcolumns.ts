/** What a table of runs shows: which columns, what stands in their cells, and what rows are sorted by. */
import { el, setAttr, setText } from "./dom";
import { exactText, formatAgo, formatDuration, formatMoment, formatStart, formatValue, NONE } from "./format";
import type { GridColumn } from "./grid";
import type { RunStore } from "./runstore";
import { type SortKey, sortKey } from "./sorting";
import { statusView } from "./status";
import type { Goal, Primary, RunColumn, RunRow, Value } from "./wire";

/** A column of the grid, with what it sorts by. */
export interface RunsColumn extends GridColumn<RunRow> {
  sortBy: (row: RunRow) => SortKey;
}

const MOST_PARAMETERS = 6;
const MOST_METRICS = 3;
/** Columns that every run has and that may be left out, by their ids. */
export const FIXED = [
  { id: "best", title: "best so far" },
  { id: "started", title: "started" },
  { id: "duration", title: "duration" },
  { id: "id", title: "run id" },
] as const;

/** What a value counts for in a chart or an order of numbers; NaN where it is none. */
export function numberOf(value: Value | undefined): number {
  if (typeof value === "number") return value;
  if (value === null || value === undefined || typeof value === "string" || typeof value === "boolean")
    return Number.NaN;
  return Number("int" in value ? value.int : value.float);
}

export function secondsOf({ started_at, ended_at }: RunRow, now: number): number | null {
  return started_at === null ? null : (ended_at ?? now) - started_at;
}

/** The best value of a metric among each run and those before it, by the id of the run. */
export function bestSoFar(rows: readonly RunRow[], place: number, goal: Goal): Map<string, number> {
  const found = new Map<string, number>();
  let best = Number.NaN;
  for (const row of rows) {
    const value = numberOf(row.values[place]);
    if (!Number.isNaN(value) && !(goal === "minimize" ? value >= best : value <= best)) best = value;
    if (!Number.isNaN(best)) found.set(row.run_id, best);
  }
  return found;
}

/** The columns that are shown where nobody has chosen any: parameters that tell the runs apart, then metrics. */
export function usualColumns(store: RunStore, primary: Primary | null): string[] {
  const names = new Set<string>(primary ? [primary.name] : []);
  const take = (columns: readonly RunColumn[], most: number): RunColumn[] => {
    const taken: RunColumn[] = [];
    for (const column of columns) {
      if (taken.length === most) break;
      if (names.has(column.name)) continue; // an argument is often logged too
      names.add(column.name);
      taken.push(column);
    }
    return taken;
  };
  const several = store.rows.length > 1;
  const parameters = store.columns.filter(
    (column, place) => column.is_parameter && (!several || varies(store, place)),
  );
  const metrics = store.columns.filter((column) => !column.is_parameter && column.source === "metric");
  const chosen = [...take(parameters, MOST_PARAMETERS), ...take(metrics, MOST_METRICS)];
  return ["best", ...chosen.map(({ id }) => id), "started", "duration", "id"];
}

/** Whether runs differ in a column, those without a value among them. */
export function varies(store: RunStore, place: number): boolean {
  const first = JSON.stringify(store.rows[0]?.values[place] ?? null);
  return store.rows.some((row) => JSON.stringify(row.values[place] ?? null) !== first);
}

/** Writes into one text node that stays: rows that scroll by are many, and another node costs the page more than another text. */
function writer(cell: HTMLElement): (text: string) => void {
  const words = document.createTextNode("");
  cell.append(words);
  return (text) => {
    if (words.data !== text) words.data = text;
  };
}

function text(read: (row: RunRow) => [text: string, full?: string]): GridColumn<RunRow>["cell"] {
  return (cell) => {
    const write = writer(cell);
    return (row) => {
      const [shown, full] = read(row);
      write(shown);
      setAttr(cell, "title", full || null);
    };
  };
}

function value(read: (row: RunRow) => Value): GridColumn<RunRow>["cell"] {
  return (cell) => {
    const write = writer(cell);
    return (row) => {
      const found = read(row);
      write(formatValue(found));
      setAttr(cell, "title", exactText(found) || null);
    };
  };
}

const widthOf = (title: string, least: number) => Math.min(150, Math.max(least, title.length * 7 + 34));

export interface ColumnParts {
  store: RunStore;
  primary: Primary | null;
  best: ReadonlyMap<string, number>;
  now(): number;
  copy(button: HTMLElement, text: string): void;
}

/** All columns that could be shown by their ids; `parts` is read when a cell is drawn. */
export function runsColumns(ids: readonly string[], parts: ColumnParts): RunsColumn[] {
  const { store } = parts;
  const columns: RunsColumn[] = [
    {
      id: "number",
      title: "#",
      align: "right",
      width: 46,
      canSort: true,
      sortBy: (row) => row.number,
      cell: text((row) => [row.number === null ? NONE : String(row.number)]),
    },
    {
      id: "name",
      title: "name",
      align: "left",
      width: 132,
      namesRow: true,
      canSort: true,
      sortBy: (row) => row.name,
      cell: text((row) => [row.name, `${row.name}\n${row.run_id}`]),
    },
    {
      id: "status",
      title: "status",
      align: "left",
      width: 112,
      canSort: true,
      sortBy: (row) => row.status,
      cell: (cell) => {
        const status = statusView();
        cell.append(status.node);
        return (row) => {
          status.patch(row.status, row.status_group);
          setAttr(cell, "title", row.error);
        };
      },
    },
  ];
  const { primary } = parts;
  if (primary) {
    const place = () => store.metricPlace(parts.primary?.name);
    columns.push({
      id: "primary",
      title: primary.name,
      hint: `${primary.name}, the metric that counts: ${primary.goal === "minimize" ? "less" : "more"} is better`,
      align: "right",
      width: widthOf(primary.name, 92),
      canSort: true,
      sortBy: (row) => sortKey(row.values[place()] ?? null),
      cell: (cell) => {
        const patch = value((row) => row.values[place()] ?? null)(cell);
        return (row) => {
          patch(row);
          const own = numberOf(row.values[place()]);
          cell.classList.toggle("rw-best", !Number.isNaN(own) && parts.best.get(row.run_id) === own);
        };
      },
    });
  }
  for (const id of ids) {
    if (id === "best") {
      if (!primary) continue;
      columns.push({
        id,
        title: "best so far",
        hint: `The best ${primary.name} among this run and those before it`,
        align: "right",
        width: 94,
        canSort: true,
        sortBy: (row) => parts.best.get(row.run_id) ?? null,
        cell: (cell) => {
          const patch = value((row) => parts.best.get(row.run_id) ?? null)(cell);
          return (row) => {
            patch(row);
            cell.classList.add("rw-muted");
          };
        },
      });
    } else if (id === "started") {
      columns.push({
        id,
        title: "started",
        align: "right",
        width: 84,
        canSort: true,
        sortBy: (row) => row.started_at,
        cell: text((row) => {
          if (row.started_at === null) return [NONE];
          const now = parts.now();
          const full = `${formatMoment(row.started_at)}, ${formatAgo(now - row.started_at)}`;
          return [formatStart(row.started_at, now), full];
        }),
      });
    } else if (id === "duration") {
      columns.push({
        id,
        title: "duration",
        align: "right",
        width: 82,
        canSort: true,
        sortBy: (row) => secondsOf(row, parts.now()),
        cell: text((row) => {
          const seconds = secondsOf(row, parts.now());
          return [seconds === null ? NONE : formatDuration(seconds)];
        }),
      });
    } else if (id === "id") {
      columns.push({
        id,
        title: "run id",
        align: "left",
        width: 112,
        canSort: true,
        sortBy: (row) => row.run_id,
        cell: (cell) => {
          const words = el("span", { class: "rw-run-id" });
          const write = writer(words);
          cell.classList.add("rw-copied-cell");
          const button = el(
            "button",
            { class: "rw-button rw-copy-id", type: "button", tabindex: -1 },
            "Copy",
          );
          cell.append(words, button);
          button.addEventListener("click", () => parts.copy(button, words.textContent ?? ""));
          return (row) => {
            write(row.run_id);
            setText(button, "Copy");
            setAttr(cell, "title", row.run_id);
          };
        },
      });
    } else {
      const place = store.columns.findIndex((column) => column.id === id);
      const column = store.columns[place];
      if (!column) continue;
      columns.push({
        id,
        title: column.name,
        hint: column.source === "metric" ? column.name : `${column.name} (${column.source})`,
        align: "right",
        width: widthOf(column.name, 80),
        canSort: true,
        sortBy: (row) => sortKey(row.values[place] ?? null),
        cell: value((row) => row.values[place] ?? null),
      });
    }
  }
  return columns;
}
