import { el, show } from "./dom";
import { formatNumber } from "./format";
import { plotView, type Series, type Spec } from "./plot";
import type { Scope } from "./scope";
import type { Predictions, Residuals } from "./wire";

const COLOR = "var(--rw-series-0)";
const OTHER = "var(--rw-series-1)";

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

function residualsSpec({ edges, counts, mean }: Residuals): Spec {
  const bars: Series = { id: "counts", label: "rows", color: COLOR, kind: "bars", x: edges, y: counts };
  const line: Series[] =
    mean === null
      ? []
      : [
          {
            id: "mean",
            label: `mean ${formatNumber(mean)}`,
            color: OTHER,
            kind: "line",
            x: [mean, mean],
            y: [0, Math.max(...counts)],
          },
        ];
  return {
    label: "Residuals, predicted less true",
    x: { label: "predicted − true", scale: "linear" },
    y: { label: "rows", scale: "linear", whole: counts.every(Number.isInteger) },
    series: [bars, ...line],
    height: 260,
  };
}

/** A histogram of residuals. */
export function residualsView(scope: Scope) {
  const plot = plotView(scope);
  return {
    node: el("div", { class: "rw-regression" }, plot.node),
    patch: (figure: Residuals) => plot.patch(residualsSpec(figure)),
    facts({ total, mean, std }: Residuals): string {
      const rows = `${formatNumber(total)} rows`;
      if (mean === null || std === null) return rows;
      return `${rows} · mean ${formatNumber(mean)} · std ${formatNumber(std)}`;
    },
    isWide: () => false,
  };
}

function predictionsSpec({ x, mean, low, high, edges }: Predictions): Spec {
  const ends = [edges[0] ?? 0, edges.at(-1) ?? 0] as const;
  const band: Series = {
    id: "error",
    label: "± error",
    color: COLOR,
    kind: "band",
    x,
    y: low,
    y2: high,
    sign: 1,
  };
  return {
    label: "Predicted over true values",
    x: { label: "true", scale: "linear", range: ends },
    y: { label: "predicted", scale: "linear" },
    series: [
      ...(low.some((value) => value !== null) ? [band] : []),
      {
        id: "mean",
        label: "mean prediction",
        color: COLOR,
        kind: "line",
        x,
        y: mean,
        marked: mean.flatMap((value, i) => (value === null ? [] : [i])),
        sign: 0,
      },
    ],
    diagonal: true,
    height: 280,
  };
}

/** Predicted over true values with their error, and below how many rows there are. */
export function predictionsView(scope: Scope) {
  const plot = plotView(scope, { onZoom: (range) => below.zoom(range) });
  const below = plotView(scope, { onZoom: (range) => plot.zoom(range) });
  return {
    node: el("div", { class: "rw-regression" }, plot.node, below.node),
    patch(figure: Predictions) {
      plot.patch(predictionsSpec(figure));
      const { edges, counts } = figure;
      below.patch({
        label: "Rows in each bin of true values",
        x: { label: "true", scale: "linear", range: [edges[0] ?? 0, edges.at(-1) ?? 0] },
        y: { label: "rows", scale: "linear", whole: counts.every(Number.isInteger) },
        series: [{ id: "counts", label: "rows", color: COLOR, kind: "bars", x: edges, y: counts }],
        height: 120,
      });
      show(below.node, counts.length > 0);
    },
    facts: ({ counts }: Predictions): string =>
      `${formatNumber(counts.length)} bins · ${formatNumber(sumOf(counts))} rows · dotted: predicted as true`,
    isWide: () => false,
  };
}
