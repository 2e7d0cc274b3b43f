import { afterEach, beforeEach, expect, test, vi } from "vitest";
import evaluationPanel from "../src/evaluation";
import type {
  Confusion,
  Curve,
  CurveChart,
  Curves,
  Evaluation,
  Figure,
  FigureMessage,
  Predictions,
  Residuals,
} from "../src/wire";
import { button, HOSTILE, mount, press } from "./model";
import { bringIntoSight, layOut, observerCount } from "./sizes";
import { NOW } from "./states";

beforeEach(() => {
  vi.useFakeTimers();
  layOut();
});
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const document_ = (name: string, kind: Evaluation["kind"], count = 1): Evaluation => ({
  name,
  kind,
  first: 1,
  logged: Array.from({ length: count }, (_, i) => ({ path: `${name}_${i}`, logged_at: NOW + i })),
});

const confusion = (size: number, change: Partial<Confusion> = {}): Confusion => ({
  kind: "confusion_matrix",
  labels: Array.from({ length: size }, (_, i) => `class ${i}`),
  matrix: Array.from({ length: size }, (_, r) => Array.from({ length: size }, (_, c) => (r === c ? 8 : 1))),
  row_totals: Array.from({ length: size }, () => 7 + size),
  precision: Array.from({ length: size }, () => 0.8),
  recall: Array.from({ length: size }, (_, i) => (i === 1 ? null : 0.5 + i / 1000)),
  f1: Array.from({ length: size }, () => 0.6),
  total: size * (7 + size),
  accuracy: 0.75,
  note: null,
  ...change,
});

const curve = (label: string, is_average: boolean, change: Partial<Curve> = {}): Curve => ({
  label,
  is_average,
  score: 0.9,
  x: [0, 0.2, 1],
  y: [0, 0.8, 1],
  ...change,
});

const SCORES = { roc: "AUC", precision_recall: "AP", gain: "", lift: "", calibration: "ECE" };

const curves = (classes: number, change: Partial<CurveChart> = {}): Curves => ({
  kind: "accuracy_table",
  rows: 1000,
  classes,
  charts: (["roc", "precision_recall", "gain", "lift", "calibration"] as const).map((id) => ({
    id,
    score_name: SCORES[id],
    curves: [
      ...(classes > 1
        ? ["macro", "micro", "weighted"].map((label) =>
            curve(label, true, { score: SCORES[id] ? 0.9 : null }),
          )
        : []),
      ...Array.from({ length: classes }, (_, i) => curve(`class ${i}`, false)),
    ],
    ...change,
  })),
  note: null,
});

const residuals = (change: Partial<Residuals> = {}): Residuals => ({
  kind: "residuals",
  edges: [-1, 0, 1],
  counts: [3, 1],
  total: 4,
  mean: -0.25,
  std: 0.43,
  note: null,
  ...change,
});

const predictions = (change: Partial<Predictions> = {}): Predictions => ({
  kind: "predictions",
  edges: [0, 1, 2],
  x: [0.5, 1.5],
  mean: [0.6, null],
  low: [0.5, null],
  high: [0.7, null],
  counts: [3, 0],
  note: null,
  ...change,
});

const message = (path: string, figure: Figure, is_final = true): FigureMessage => ({
  kind: "figure",
  path,
  figure,
  is_final,
});

const open = (...documents: Evaluation[]) =>
  mount(evaluationPanel, { state: { documents, total: documents.length } });

/** One document, in sight, with what Python answers. */
function openOne(figure: Exclude<Figure, { kind: "refused" }>) {
  const panel = open(document_("m", figure.kind));
  bringIntoSight();
  panel.model.receive(message("m_0", figure));
  return panel;
}

const labels = (panel: ReturnType<typeof openOne>) => panel.texts(".rw-plot-entry");

test("what is not in sight is not asked for, and what is once", () => {
  const { model, texts } = open(document_("a", "residuals"), document_("b", "predictions"));
  expect(model.send).not.toHaveBeenCalled();
  expect(texts(".rw-card-title")).toEqual(["a", "b"]);
  bringIntoSight(0);
  expect(model.send).not.toHaveBeenCalled();
  bringIntoSight();
  bringIntoSight();
  expect(model.send.mock.calls).toEqual([
    [{ kind: "figure", path: "a_0" }],
    [{ kind: "figure", path: "b_0" }],
  ]);
  model.receive(message("a_0", residuals()));
  model.set("state", { ...model.get("state") });
  // What has been answered is not asked for again; what has not might have got lost.
  expect(model.send.mock.calls.slice(2)).toEqual([[{ kind: "figure", path: "b_0" }]]);
});

test("a figure that is not there yet is asked for again with the next state", () => {
  const { model, texts } = open(document_("a", "residuals"));
  bringIntoSight();
  model.receive(message("a_0", { kind: "refused", note: "the file is not there" }, false));
  expect(texts(".rw-figure-trouble:not([hidden])")).toEqual(["the file is not there"]);
  model.set("state", { ...model.get("state") });
  expect(model.send).toHaveBeenCalledTimes(2);
  model.receive(message("a_0", residuals()));
  expect(texts(".rw-figure-trouble:not([hidden])")).toEqual([]);
});

test("while Python does not answer it says so", () => {
  const { texts, model, host } = open(document_("a", "residuals"));
  bringIntoSight();
  expect(texts(".rw-figure-trouble")).toEqual(["Loading…"]);
  vi.advanceTimersByTime(1000);
  expect(texts(".rw-figure-trouble")).toEqual(["Python is busy. It comes when there is time."]);
  model.receive(message("a_0", residuals()));
  expect(texts(".rw-figure-trouble:not([hidden])")).toEqual([]);
  host.className = "jupyter-widgets-disconnected";
});

test("where the kernel is gone it says that", () => {
  const { texts, host } = open(document_("a", "residuals"));
  host.className = "jupyter-widgets-disconnected";
  bringIntoSight();
  vi.advanceTimersByTime(1000);
  expect(texts(".rw-figure-trouble")).toEqual(["The kernel is gone: it cannot be loaded."]);
});

test("of several documents the latest is shown, and any can be chosen", () => {
  const panel = open(document_("m", "residuals", 3));
  const { model, find, texts } = panel;
  bringIntoSight();
  const slider = find<HTMLInputElement>(".rw-slider");
  expect([slider.value, slider.max]).toEqual(["2", "2"]);
  model.receive(message("m_2", residuals({ total: 30 })));
  expect(texts(".rw-card-head > .rw-muted")[0]).toContain("30 rows");
  slider.value = "0";
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  expect(find(".rw-slider-word").textContent).toMatch(/^1 of 3 · /);
  vi.advanceTimersByTime(100);
  expect(model.send).toHaveBeenLastCalledWith({ kind: "figure", path: "m_0" });
  expect(texts(".rw-card-head > .rw-muted")[0]).toContain("30 rows");
  model.receive(message("m_0", residuals({ total: 10 })));
  expect(texts(".rw-card-head > .rw-muted")[0]).toContain("10 rows");
  // One more does not take away what was chosen.
  model.set("state", { documents: [document_("m", "residuals", 4)], total: 1 });
  expect(find(".rw-slider-word").textContent).toMatch(/^1 of 4 · /);
  expect(model.send).toHaveBeenCalledTimes(2);
});

test("who looks at the latest sees the next as well", () => {
  const { model } = open(document_("m", "residuals"));
  bringIntoSight();
  model.receive(message("m_0", residuals()));
  model.set("state", { documents: [document_("m", "residuals", 2)], total: 1 });
  expect(model.send).toHaveBeenLastCalledWith({ kind: "figure", path: "m_1" });
});

test("a matrix has counts, and shares of rows on request", () => {
  const { texts, all } = openOne(confusion(2));
  expect(texts(".rw-matrix-table thead th")).toEqual(["predicted", "true", "class 0", "class 1"]);
  expect(texts(".rw-matrix-table tbody th")).toEqual(["class 0", "class 1"]);
  expect(texts(".rw-cell")).toEqual(["8", "1", "1", "8"]);
  expect(all(".rw-cell")[1]?.title).toBe("true class 0, predicted class 1: 1, 11 % of its row");
  button(all(".rw-choice"), "% of row").click();
  expect(texts(".rw-cell")).toEqual(["89", "11", "11", "89"]);
  expect(all(".rw-choice").map((node) => node.getAttribute("aria-pressed"))).toEqual(["false", "true"]);
});

test("beside the matrix is how good each class is, to sort by", () => {
  const { texts, all } = openOne(confusion(3));
  const rows = () => texts(".rw-table tbody th");
  expect(texts(".rw-table tbody tr:first-child td")).toEqual(["0.800", "0.500", "0.600", "10"]);
  expect(texts(".rw-table tbody tr:nth-child(2) td")[1]).toBe("—");
  button(all(".rw-sort"), "recall").click();
  button(all(".rw-sort"), "recall").click();
  expect(rows()[0]).toBe("class 2");
});

test("a large matrix is a picture, whose cells are read by pointer and keys", () => {
  const { find, all, texts } = openOne(confusion(100));
  expect(all(".rw-matrix-table")).toHaveLength(0);
  const picture = find(".rw-matrix-picture");
  expect(picture.getAttribute("aria-label")).toContain("100 classes");
  expect(all(".rw-matrix-picture path").length).toBeLessThan(30);
  press(picture, "ArrowRight");
  press(picture, "ArrowRight");
  expect(texts(".rw-matrix-word")).toEqual(["true class 0, predicted class 1: 1, 0.9 % of its row"]);
  picture.dispatchEvent(new Event("pointerleave"));
  expect(texts(".rw-matrix-word")[0]).toContain("Point at a cell");
  expect(texts(".rw-table tbody th")).toHaveLength(100);
});

test("a matrix of no classes says so and is not drawn", () => {
  const { texts, find } = openOne(confusion(0, { accuracy: null }));
  expect(texts(".rw-card-head > .rw-muted")[0]).toBe("confusion matrix · no classes");
  expect(find(".rw-confusion").hidden).toBe(true);
});

test("cells that are not known are a dash, and what is odd is told", () => {
  const { texts } = openOne(
    confusion(1, { matrix: [[null]], row_totals: [0], note: "it has cells that are no counts" }),
  );
  expect(texts(".rw-cell")).toEqual(["—"]);
  expect(texts(".rw-more:not([hidden])")).toContain("it has cells that are no counts");
});

test("each curve has its score in the legend", () => {
  const panel = openOne(curves(2));
  expect(labels(panel)).toEqual([
    "macroAUC 0.900",
    "microAUC 0.900",
    "weightedAUC 0.900",
    "class 0AUC 0.900",
    "class 1AUC 0.900",
  ]);
  expect(panel.all(".rw-plot-diagonal")).toHaveLength(1);
});

test.each([
  ["precision–recall", "AP", 0, "Precision over recall"],
  ["gain", "", 1, "Cumulative gain"],
  ["lift", "", 0, "Lift"],
  ["calibration", "ECE", 1, "Calibration"],
])("the chart can be %s", (title, score, diagonals, label) => {
  const panel = openOne(curves(2));
  button(panel.all(".rw-choice"), title).click();
  expect(panel.find(".rw-plot-picture").getAttribute("aria-label")).toContain(label);
  expect(panel.all(".rw-plot-diagonal")).toHaveLength(diagonals);
  expect(labels(panel)[0]).toBe(score !== "" ? `macro${score} 0.900` : "macro");
  expect(labels(panel).includes("at random")).toBe(title === "lift");
});

test("of many classes the averages are shown, and the rest on request", () => {
  const panel = openOne(curves(12));
  expect(labels(panel)).toHaveLength(3);
  const colors = () =>
    Object.fromEntries(
      panel.all(".rw-plot-inside g").map((g) => [g.dataset.id, g.style.getPropertyValue("--rw-plot-color")]),
    );
  button(panel.all(".rw-choice"), "all").click();
  expect(labels(panel)).toHaveLength(15);
  const all = colors();
  button(panel.all(".rw-choice"), "classes").click();
  expect(labels(panel)).toHaveLength(12);
  expect(all).toMatchObject(colors());
});

test("one class alone has no averages to choose", () => {
  const panel = openOne(curves(1));
  expect(panel.all(".rw-plot-inside g")).toHaveLength(1);
  expect(panel.find('[aria-label="lines"]').closest<HTMLElement>(".rw-field")?.hidden).toBe(true);
});

test("a chart without curves says that there is no data", () => {
  const panel = openOne(curves(2, { curves: [] }));
  expect(panel.texts(".rw-plot-none:not([hidden])")).toEqual(["no data"]);
});

test("residuals are bars with their mean", () => {
  const panel = openOne(residuals());
  expect(panel.find(".rw-plot-inside .rw-plot-bars").getAttribute("d")?.match(/M/g)).toHaveLength(2);
  expect(labels(panel)).toEqual(["rows", "mean −0.25"]);
  expect(panel.texts(".rw-card-head > .rw-muted")[0]).toBe("residuals · 4 rows · mean −0.25 · std 0.43");
});

test("predictions are a line in a band, the ideal, and counts below", () => {
  const panel = openOne(predictions());
  expect(panel.all(".rw-plot-picture")).toHaveLength(2);
  expect(panel.all(".rw-plot-inside .rw-plot-band, .rw-plot-inside .rw-plot-line")).toHaveLength(2);
  expect(panel.all(".rw-plot-diagonal")).toHaveLength(1);
  expect(panel.find(".rw-plot-inside .rw-plot-bars").getAttribute("d")).toBeTruthy();
});

test("predictions without errors have no band", () => {
  const panel = openOne(predictions({ low: [null, null], high: [null, null] }));
  expect(panel.all(".rw-plot-inside .rw-plot-band")).toHaveLength(0);
});

test("a document that is not drawn says why, until another is chosen", () => {
  const { model, texts, find } = open(document_("m", "residuals", 2));
  bringIntoSight();
  model.receive(message("m_1", { kind: "refused", note: HOSTILE }));
  expect(texts(".rw-figure-trouble:not([hidden])")).toEqual([HOSTILE]);
  expect(find(".rw-regression").hidden).toBe(true);
  const slider = find<HTMLInputElement>(".rw-slider");
  slider.value = "0";
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  vi.advanceTimersByTime(100);
  model.receive(message("m_0", residuals()));
  expect(texts(".rw-figure-trouble:not([hidden])")).toEqual([]);
  expect(find(".rw-regression").hidden).toBe(false);
});

test("names and labels are text, whatever is in them", () => {
  const { model, host, texts } = open(
    document_(HOSTILE, "confusion_matrix"),
    document_(`${HOSTILE}2`, "residuals"),
  );
  bringIntoSight();
  model.receive(message(`${HOSTILE}_0`, confusion(2, { labels: [HOSTILE, "b"] })));
  expect(texts(".rw-card-title")).toEqual([HOSTILE, `${HOSTILE}2`]);
  expect(texts(".rw-matrix-table tbody th")[0]).toBe(HOSTILE);
  expect(texts(".rw-table tbody th")[0]).toBe(HOSTILE);
  expect(host.querySelector("img, b")).toBeNull();
});

test("a run without documents says so", () => {
  const { find } = open();
  expect(find(".rw-empty").hidden).toBe(false);
  expect(find(".rw-yet").textContent).toBe("Nothing to evaluate yet.");
});

test("at the end nothing listens any more, and a card that goes frees what it holds", () => {
  const { model, end } = open(document_("a", "residuals"), document_("b", "predictions"));
  expect(observerCount()).toBe(5);
  model.set("state", { documents: [document_("a", "residuals")], total: 1 });
  expect(observerCount()).toBe(2);
  end();
  expect([observerCount(), model.listenerCount]).toEqual([0, 0]);
});
