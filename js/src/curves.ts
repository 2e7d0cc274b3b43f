import { el, show } from "./dom";
import { formatNumber } from "./format";
import { plotView, type Series, type Spec } from "./plot";
import type { Scope } from "./scope";
import { choices } from "./toolbar";
import type { Curve, CurveChart, Curves } from "./wire";

interface Look {
  title: string;
  label: string;
  x: string;
  y: string;
  isSquare: boolean;
  diagonal: boolean;
}

const LOOKS: Record<CurveChart["id"], Look> = {
  roc: {
    title: "ROC",
    label: "Receiver operating characteristic",
    x: "false positive rate",
    y: "true positive rate",
    isSquare: true,
    diagonal: true,
  },
  precision_recall: {
    title: "precision–recall",
    label: "Precision over recall",
    x: "recall",
    y: "precision",
    isSquare: true,
    diagonal: false,
  },
  gain: {
    title: "gain",
    label: "Cumulative gain",
    x: "share of all rows, likeliest first",
    y: "share of the positives among them",
    isSquare: true,
    diagonal: true,
  },
  lift: {
    title: "lift",
    label: "Lift",
    x: "share of all rows, likeliest first",
    y: "times as many positives as at random",
    isSquare: false,
    diagonal: false,
  },
  calibration: {
    title: "calibration",
    label: "Calibration",
    x: "predicted probability",
    y: "share of positives",
    isSquare: true,
    diagonal: true,
  },
};

const LINES = ["all", "averages", "classes"] as const;
type Lines = (typeof LINES)[number];
const COLORS = 12;
/** With more classes than this their curves are there on request. */
const MANY = 6;

function seriesOf(chart: CurveChart, curve: Curve, index: number): Series {
  return {
    id: `${curve.is_average ? "average" : "class"} ${index}`,
    label: curve.label,
    color: `var(--rw-series-${index % COLORS})`,
    kind: "line",
    x: curve.x,
    y: curve.y,
    size: curve.is_average ? 2.2 : 1.4,
    sign: index,
    ...(curve.score === null ? {} : { detail: `${chart.score_name} ${curve.score.toFixed(3)}` }),
    ...(chart.id === "calibration" ? { marked: curve.x.map((_, i) => i) } : {}),
  };
}

export function specOf(chart: CurveChart, lines: Lines): Spec {
  const look = LOOKS[chart.id];
  const unit = { scale: "linear", range: [0, 1] } as const;
  const series = chart.curves
    .map((curve, index) => ({ curve, series: seriesOf(chart, curve, index) }))
    .filter(({ curve }) => lines === "all" || curve.is_average === (lines === "averages"))
    .map((one) => one.series);
  if (chart.id === "lift" && series.length > 0) {
    series.push({
      id: "random",
      label: "at random",
      color: "var(--rw-muted)",
      kind: "line",
      x: [0, 1],
      y: [1, 1],
      size: 1,
      sign: 2,
    });
  }
  return {
    label: look.label,
    x: { label: look.x, ...unit },
    y: look.isSquare ? { label: look.y, ...unit } : { label: look.y, scale: "linear" },
    series,
    diagonal: look.diagonal,
    height: 320,
  };
}

/** The curves of a classifier, one chart at a time. */
export function curvesView(scope: Scope) {
  let shown: Curves | undefined;
  let chosen: CurveChart["id"] = "roc";
  let lines: Lines | null = null;
  const titles = Object.values(LOOKS).map((look) => look.title);
  const ids = Object.keys(LOOKS) as CurveChart["id"][];
  const charts = choices("chart", titles, scope.signal, (title) => {
    chosen = ids[titles.indexOf(title)] ?? "roc";
    draw();
  });
  const groups = choices<Lines>("lines", LINES, scope.signal, (group) => {
    lines = group;
    draw();
  });
  const plot = plotView(scope);
  const node = el(
    "div",
    { class: "rw-curves" },
    el("div", { class: "rw-figure-bar" }, charts.node, groups.node),
    plot.node,
  );

  function draw(): void {
    const chart = shown?.charts.find(({ id }) => id === chosen);
    if (!shown || !chart) return;
    const group = shown.classes < 2 ? "all" : (lines ?? (shown.classes > MANY ? "averages" : "all"));
    charts.patch(LOOKS[chosen].title);
    groups.patch(group);
    show(groups.node, shown.classes > 1);
    plot.patch(specOf(chart, group));
  }
  return {
    node,
    patch(figure: Curves) {
      shown = figure;
      show(node, figure.charts.length > 0);
      draw();
    },
    facts: ({ classes, rows }: Curves): string =>
      `${formatNumber(classes)} ${classes === 1 ? "class" : "classes"} · ${formatNumber(rows)} rows`,
    isWide: () => false,
  };
}
