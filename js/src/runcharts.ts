/** The charts of a table of runs: what counts over the runs, over a parameter, and over all parameters at once. */
import { el, setText, show } from "./dom";
import { formatNumber, formatValue } from "./format";
import { asksForLog, type Brushes, isWithin, type ParallelAxis, parallelView } from "./parallel";
import { plotView, type Series, type Spec } from "./plot";
import { numberOf } from "./runcolumns";
import type { RunStore } from "./runstore";
import type { Scope } from "./scope";
import type { Primary, RunRow } from "./wire";

const MOST_AXES = 9;
const FEWEST_AXES = 3;
const COLOR = "var(--rw-series-0)";
const OTHER = "var(--rw-series-1)";

export interface ChartsNews {
  /** The runs that match the filter, in the order of creation. */
  rows: readonly RunRow[];
  primary: Primary | null;
  best: ReadonlyMap<string, number>;
  selected: ReadonlySet<string>;
  /** Ids of the columns that are shown. */
  ids: readonly string[];
}

interface Actions {
  pick(runId: string): void;
  hover(runId: string | null): void;
  /** Other runs are within the brushes: with `stays`, for others came. */
  brush(stays: boolean): void;
}

const wordsOf = (row: RunRow, place: number): string => formatValue(row.values[place] ?? null);
const titleOf = (row: RunRow) => (row.number === null ? row.name : `#${row.number} ${row.name}`);

function isNumeric(rows: readonly RunRow[], place: number): boolean {
  let some = false;
  for (const row of rows) {
    const value = row.values[place];
    if (value === null || value === undefined) continue;
    if (typeof value === "string" || typeof value === "boolean") return false;
    some = true;
  }
  return some;
}

/** An axis for a column, of numbers or of the words that there are, in the order in which they came. */
export function axisOf(rows: readonly RunRow[], id: string, title: string, place: number): ParallelAxis {
  if (isNumeric(rows, place)) {
    const values = rows.map((row) => numberOf(row.values[place]));
    return { id, title, values, words: null, log: asksForLog(values) };
  }
  const words = new Map<string, number>();
  const values = rows.map((row) => {
    const value = row.values[place];
    if (value === null || value === undefined) return Number.NaN;
    const word = wordsOf(row, place);
    const at = words.get(word) ?? words.size;
    words.set(word, at);
    return at;
  });
  return { id, title, values, words: [...words.keys()], log: false };
}

/** How good each value is among all: 0 for the worst, 1 for the best, NaN for none. */
export function ranksOf(values: readonly number[], goal: Primary["goal"]): number[] {
  const order = values
    .map((value, place) => ({ value, place }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => (goal === "maximize" ? a.value - b.value : b.value - a.value));
  const ranks = values.map(() => Number.NaN);
  order.forEach(({ place }, rank) => {
    ranks[place] = order.length > 1 ? rank / (order.length - 1) : 1;
  });
  return ranks;
}

function card(title: HTMLElement, ...inside: HTMLElement[]) {
  return el(
    "section",
    { class: "rw-run-chart" },
    el("div", { class: "rw-run-chart-head" }, title),
    ...inside,
  );
}

export function runCharts(scope: Scope, store: RunStore, actions: Actions) {
  const pickPoint = (keys: () => readonly string[]) => (_: string, index: number) => {
    const key = keys()[index];
    if (key !== undefined) actions.pick(key);
  };
  let overKeys: string[] = [];
  let scatterKeys: string[] = [];
  const overTitle = el("b", {});
  const over = plotView(scope, { onPick: pickPoint(() => overKeys) });
  const overCard = card(overTitle, over.node);

  const against = el("select", { class: "rw-select", "aria-label": "Parameter of the scatter chart" });
  const scatterTitle = el("span", { class: "rw-field" }, el("b", {}, ""), "over", against);
  const scatterName = scatterTitle.firstElementChild as HTMLElement;
  const scatter = plotView(scope, { onPick: pickPoint(() => scatterKeys) });
  const scatterCard = card(scatterTitle, scatter.node);
  let wanted: string | null = null;
  against.addEventListener(
    "change",
    () => {
      wanted = against.value;
      draw();
    },
    { signal: scope.signal },
  );

  let brushes: Brushes = new Map();
  let axes: ParallelAxis[] = [];
  let keys: readonly string[] = [];
  const parallel = parallelView(scope, {
    onBrush(now) {
      brushes = now;
      actions.brush(false);
    },
    onPick: actions.pick,
    onHover: actions.hover,
  });
  const parallelTitle = el("span", {}, el("b", {}, "parameters"), " ");
  const parallelHint = el("span", { class: "rw-muted" }, "drag along an axis to filter");
  parallelTitle.append(parallelHint);
  const parallelCard = card(parallelTitle, parallel.node);
  parallelCard.classList.add("rw-run-chart-wide");
  const node = el("div", { class: "rw-run-charts" }, overCard, scatterCard, parallelCard);

  let news: ChartsNews | null = null;
  let isSeen = typeof IntersectionObserver === "undefined";
  let isStale = false;
  let options = "";
  /** What is still to be drawn: one chart a turn, so that none keeps the page for long. */
  let queue: (() => void)[] = [];
  const turn = scope.delay(0, () => {
    queue.shift()?.();
    if (queue.length > 0) turn.start();
  });
  const watcher = isSeen
    ? null
    : new IntersectionObserver((entries) => {
        isSeen = entries.some(({ isIntersecting }) => isIntersecting);
        if (isSeen && isStale) draw();
      });
  watcher?.observe(node);
  scope.onEnd(() => watcher?.disconnect());

  /** Rows that came while a brush is drawn are within it or not like all others. */
  function drawParallel(
    rows: readonly RunRow[],
    primary: Primary,
    place: number,
    ids: readonly string[],
  ): void {
    const columns = ids.flatMap((id) => {
      const at = store.columns.findIndex((column) => column.id === id && column.is_parameter);
      const column = store.columns[at];
      return column ? [{ id, title: column.name, at }] : [];
    });
    axes = columns.slice(0, MOST_AXES - 1).map(({ id, title, at }) => axisOf(rows, id, title, at));
    const shown = axes.length >= FEWEST_AXES;
    show(parallelCard, shown);
    if (!shown) axes = [];
    else axes.push(axisOf(rows, "primary", primary.name, place));
    keys = rows.map(({ run_id }) => run_id);
    if (!shown) return;
    const ranks = ranksOf(
      rows.map((row) => numberOf(row.values[place])),
      primary.goal,
    );
    parallel.patch({ axes, keys, names: rows.map(titleOf), ranks, chosen: news?.selected ?? new Set() });
  }

  function drawOver({ rows, best, selected }: ChartsNews, primary: Primary, place: number): void {
    const x = (row: RunRow, index: number) => row.number ?? index + 1;
    const values = rows.map((row) => numberOf(row.values[place]));
    overKeys = rows.map(({ run_id }) => run_id);
    const all = store.rows.filter(({ run_id }) => best.has(run_id));
    const series: Series[] = [
      {
        id: "value",
        label: primary.name,
        color: COLOR,
        kind: "points",
        x: rows.map(x),
        y: values,
        titles: rows.map(titleOf),
        marked: rows.flatMap(({ run_id }, index) => (selected.has(run_id) ? [index] : [])),
        sign: 0,
      },
      {
        id: "best",
        label: "best so far",
        color: OTHER,
        kind: "step",
        x: all.map(x),
        y: all.map(({ run_id }) => best.get(run_id) ?? null),
        sign: 0,
        size: 2,
      },
    ];
    over.patch({
      label: `${primary.name} over runs, with the best so far`,
      x: { label: "run", scale: "linear", whole: true },
      y: { label: "", scale: asksForLog([...values, ...best.values()]) ? "log" : "linear" },
      series,
    });
    setText(overTitle, `${primary.name} over runs`);
  }

  function drawScatter({ rows, selected, ids }: ChartsNews, primary: Primary, place: number): void {
    const choices = store.columns.flatMap((column, at) => {
      const usual = ids.includes(column.id) && column.is_parameter;
      return at !== place && isNumeric(rows, at) ? [{ ...column, at, usual }] : [];
    });
    show(scatterCard, choices.length > 0);
    const text = JSON.stringify(choices.map(({ id }) => id));
    if (text !== options) {
      options = text;
      const many = new Map<string, number>();
      for (const { name } of choices) many.set(name, (many.get(name) ?? 0) + 1);
      against.replaceChildren(
        ...choices.map(({ id, name, source }) =>
          el("option", { value: id }, (many.get(name) ?? 0) > 1 ? `${name} (${source})` : name),
        ),
      );
    }
    const chosen =
      choices.find(({ id }) => id === wanted) ?? choices.find(({ usual }) => usual) ?? choices[0];
    if (!chosen) return;
    against.value = chosen.id;
    setText(scatterName, primary.name);
    const with_ = rows.filter((row) => !Number.isNaN(numberOf(row.values[chosen.at])));
    scatterKeys = with_.map(({ run_id }) => run_id);
    const x = with_.map((row) => numberOf(row.values[chosen.at]));
    const y = with_.map((row) => numberOf(row.values[place]));
    const spec: Spec = {
      label: `${primary.name} over ${chosen.name}`,
      x: { label: chosen.name, scale: asksForLog(x) ? "log" : "linear" },
      y: { label: "", scale: asksForLog(y) ? "log" : "linear" },
      series: [
        {
          id: "runs",
          label: primary.name,
          color: COLOR,
          kind: "points",
          x,
          y,
          titles: with_.map(
            (row) => `${titleOf(row)} · ${chosen.name} ${formatNumber(numberOf(row.values[chosen.at]))}`,
          ),
          marked: with_.flatMap(({ run_id }, index) => (selected.has(run_id) ? [index] : [])),
          sign: 0,
        },
      ],
    };
    scatter.patch(spec);
  }

  function draw(): void {
    if (!news) return;
    const { rows, primary, ids } = news;
    const place = store.metricPlace(primary?.name);
    const some = rows.filter((row) => Number.isFinite(numberOf(row.values[place]))).length;
    const shown = primary !== null && place >= 0 && some > 1;
    show(node, shown);
    if (!shown) {
      axes = [];
      return;
    }
    isStale = !isSeen;
    if (isStale) return;
    const now = news;
    queue = [
      () => drawOver(now, primary, place),
      () => drawScatter(now, primary, place),
      () => {
        drawParallel(rows, primary, place, ids);
        if (brushes.size > 0) actions.brush(true);
      },
    ];
    turn.restart();
  }

  return {
    node,
    patch(next: ChartsNews) {
      news = next;
      draw();
    },
    /** The runs that are within the brushes; null where nothing is brushed. */
    within(): ReadonlySet<string> | null {
      if (brushes.size === 0 || axes.length === 0) return null;
      return new Set(keys.filter((_, row) => isWithin(axes, brushes, row)));
    },
    point: (key: string | null) => parallel.point(key),
  };
}
