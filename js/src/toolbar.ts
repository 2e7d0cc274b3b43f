import { el, hasFocus, setAttr, setText, show } from "./dom";
import type { Scope } from "./scope";
import type { MetricsControls, XAxis, YScale } from "./wire";

const FILTER_WAIT_MS = 150;
const SMOOTHING_WAIT_MS = 60;

export interface Choices<T> {
  node: HTMLElement;
  patch(value: T): void;
}

export function choices<T extends string | number>(
  label: string,
  values: readonly T[],
  signal: AbortSignal,
  choose: (value: T) => void,
): Choices<T> {
  const buttons = values.map((value) => {
    const button = el("button", { class: "rw-choice", type: "button" }, String(value));
    button.addEventListener("click", () => choose(value), { signal });
    return button;
  });
  const group = el("span", { class: "rw-choices", role: "group", "aria-label": label }, ...buttons);
  return {
    node: el("span", { class: "rw-field" }, el("span", { "aria-hidden": "true" }, label), group),
    patch(value) {
      buttons.forEach((button, index) => {
        setAttr(button, "aria-pressed", String(values[index] === value));
      });
    },
  };
}

export interface Toolbar {
  node: HTMLElement;
  show(filter: boolean, charts: boolean): void;
  patch(controls: MetricsControls): void;
  /** What is in the filter box now, before Python has heard of it. */
  filter(): string;
}

/** The controls above the metrics. `set` takes what changed; `typed` is called at every stroke in the filter. */
export function toolbarView(
  scope: Scope,
  set: (change: Partial<MetricsControls>) => void,
  typed: () => void,
): Toolbar {
  const { signal } = scope;
  let last: MetricsControls | undefined;

  const filter = el("input", {
    class: "rw-filter",
    type: "search",
    placeholder: "Filter metrics",
    "aria-label": "Filter metrics",
    autocomplete: "off",
    spellcheck: "false",
  });
  const filterWait = scope.delay(FILTER_WAIT_MS, () => set({ filter: filter.value, page: 0 }));
  filter.addEventListener(
    "input",
    () => {
      typed();
      filterWait.restart();
    },
    { signal },
  );
  filter.addEventListener(
    "blur",
    () => {
      // What Python set while the box had the focus was held back; now it may show.
      if (!last || filterWait.waiting || filter.value === last.filter) return;
      filter.value = last.filter;
      typed();
    },
    { signal },
  );

  const smoothing = el("input", {
    class: "rw-smoothing",
    type: "range",
    min: 0,
    max: 0.99,
    step: 0.01,
    "aria-label": "Smoothing",
  });
  const smoothingText = el("output", { class: "rw-smoothing-value" });
  const showSmoothing = () => setText(smoothingText, Number(smoothing.value).toFixed(2));
  const smoothingWait = scope.delay(SMOOTHING_WAIT_MS, () => set({ smoothing: Number(smoothing.value) }));
  let dragging = false;
  smoothing.addEventListener("pointerdown", () => (dragging = true), { signal });
  for (const type of ["pointerup", "pointercancel", "change"]) {
    smoothing.addEventListener(type, () => (dragging = false), { signal });
  }
  smoothing.addEventListener(
    "input",
    () => {
      showSmoothing();
      smoothingWait.start();
    },
    { signal },
  );

  const xAxis = choices<XAxis>("x", ["step", "index", "time", "relative"], signal, (x_axis) =>
    set({ x_axis }),
  );
  const yScale = choices<YScale>("y", ["linear", "log"], signal, (y_scale) => set({ y_scale }));
  const columns = choices<1 | 2 | 3>("columns", [1, 2, 3], signal, (count) => set({ columns: count }));

  const smoothingField = el(
    "span",
    { class: "rw-field" },
    el("span", { "aria-hidden": "true" }, "smoothing"),
    smoothing,
    smoothingText,
  );
  const fields = [smoothingField, xAxis.node, yScale.node, columns.node];
  const node = el("div", { class: "rw-toolbar" }, filter, ...fields);
  return {
    node,
    show(withFilter, withCharts) {
      show(node, withFilter || withCharts);
      show(filter, withFilter || withCharts);
      for (const field of fields) show(field, withCharts);
    },
    filter: () => filter.value,
    patch(controls) {
      last = controls;
      if (!hasFocus(filter) && !filterWait.waiting && filter.value !== controls.filter) {
        filter.value = controls.filter;
      }
      if (!dragging && !smoothingWait.waiting) {
        smoothing.value = String(controls.smoothing);
        showSmoothing();
      }
      xAxis.patch(controls.x_axis);
      yScale.patch(controls.y_scale);
      columns.patch(controls.columns);
    },
  };
}
