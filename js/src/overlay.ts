import type { AnyModel, InitializeProps, RenderProps } from "@anywidget/types";
import { el, setAttr, setText, show } from "./dom";
import { LineStore } from "./linestore";
import { specOf } from "./overlayspec";
import { pickerView } from "./picker";
import { plotView } from "./plot";
import { Scope } from "./scope";
import { noteView } from "./table";
import { choices } from "./toolbar";
import type { AllLines, LinesMessage, OverlayAxis, OverlayControls, OverlayState, YScale } from "./wire";

interface Traits {
  state: OverlayState;
  names: string[];
  lines: AllLines;
  controls: OverlayControls;
}

type Model = AnyModel<Traits>;

/** After so long a wait for Python is told of. */
const PATIENCE_MS = 300;

/** Whether Python has yet to do what the controls say. */
function isBehind(
  { kind, metric, group_by, x_axis, groupings }: OverlayState,
  names: string[],
  now: OverlayControls,
) {
  const wanted = now.metric !== null && names.includes(now.metric) ? now.metric : metric;
  const grouped = groupings.some(({ id }) => id === now.group_by) ? now.group_by : null;
  return wanted !== metric || grouped !== group_by || (kind === "groups" && now.x_axis !== x_axis);
}

function groupView(signal: AbortSignal, choose: (id: string | null) => void) {
  const select = el("select", { class: "rw-select", "aria-label": "Group by" });
  const node = el("label", { class: "rw-field" }, el("span", {}, "group by"), select);
  let known = "";
  select.addEventListener("change", () => choose(select.value === "" ? null : select.value), { signal });
  return {
    node,
    patch(groupings: OverlayState["groupings"], now: string | null) {
      show(node, groupings.length > 0);
      const key = JSON.stringify(groupings);
      if (key !== known) {
        known = key;
        const options = groupings.map(({ id, label }) => el("option", { value: id }, label));
        select.replaceChildren(el("option", { value: "" }, "nothing"), ...options);
      }
      select.value = groupings.some(({ id }) => id === now) ? (now ?? "") : "";
    },
  };
}

function smoothingView(scope: Scope, set: (smoothing: number) => void) {
  const { signal } = scope;
  const input = el("input", {
    class: "rw-smoothing",
    type: "range",
    min: 0,
    max: 0.99,
    step: 0.01,
    "aria-label": "Smoothing",
  });
  const text = el("output", { class: "rw-smoothing-value" });
  // Drawn at once; told to Python, which keeps it for other views, when the hand rests.
  input.addEventListener("input", () => setText(text, Number(input.value).toFixed(2)), { signal });
  input.addEventListener("input", () => set(Number(input.value)), { signal });
  return {
    node: el("span", { class: "rw-field" }, el("span", { "aria-hidden": "true" }, "smoothing"), input, text),
    patch(value: number) {
      if (Number(input.value) !== value) input.value = String(value);
      setText(text, value.toFixed(2));
    },
  };
}

function render(
  { model, el: host }: RenderProps<Traits>,
  store: LineStore,
  changed: Set<() => void>,
): () => void {
  const scope = new Scope();
  let controls = model.get("controls");
  const save = scope.delay(200, () => {
    model.set("controls", controls);
    model.save_changes();
  });
  const set = (change: Partial<OverlayControls>, atOnce = true) => {
    controls = { ...controls, ...change };
    save.restart();
    if (atOnce) {
      save.stop();
      model.set("controls", controls);
      model.save_changes();
    }
    draw();
  };
  const metric = pickerView("metric", scope.signal, (name) => set({ metric: name }));
  const group = groupView(scope.signal, (group_by) => set({ group_by }));
  const smoothing = smoothingView(scope, (value) => set({ smoothing: value }, false));
  const xAxis = choices<OverlayAxis>("x", ["step", "index", "relative"], scope.signal, (x_axis) =>
    set({ x_axis }),
  );
  const yScale = choices<YScale>("y", ["linear", "log"], scope.signal, (y_scale) => set({ y_scale }));
  const plot = plotView(scope);
  const wait = el("span", { class: "rw-overlay-wait rw-muted", role: "status" });
  const notes = el("p", { class: "rw-overlay-notes" });
  const trouble = noteView("rw-overlay-trouble");
  const empty = noteView("rw-empty");
  const toolbar = el(
    "div",
    { class: "rw-toolbar rw-overlay-bar" },
    metric.node,
    group.node,
    smoothing.node,
    xAxis.node,
    yScale.node,
    wait,
  );
  scope.mount(
    host,
    el(
      "section",
      { class: "rw-panel rw-overlay", "aria-label": "Overlay of runs" },
      toolbar,
      trouble.node,
      plot.node,
      notes,
      empty.node,
    ),
  );

  const patience = scope.delay(PATIENCE_MS, () => setText(wait, "waiting for Python…"));
  let frame = 0;
  const draw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      const state = model.get("state");
      const names = model.get("names");
      metric.patch(
        names,
        controls.metric !== null && names.includes(controls.metric) ? controls.metric : state.metric,
      );
      group.patch(state.groupings, controls.group_by);
      smoothing.patch(controls.smoothing);
      xAxis.patch(controls.x_axis);
      yScale.patch(controls.y_scale);
      const has = state.lines.length > 0;
      for (const node of [toolbar, plot.node]) show(node, has || names.length > 0);
      if (has || names.length > 0) plot.patch(specOf(state, store, controls));
      setText(notes, state.notes.join("   "));
      show(notes, state.notes.length > 0);
      trouble.patch(state.trouble === null ? "" : `⚠ ${state.trouble}`);
      const nothing =
        state.chosen === 0
          ? "Select runs in the table to lay their metrics over each other."
          : `${state.chosen === 1 ? "This run has" : "These runs have"} no metric that can be drawn yet.`;
      empty.patch(names.length === 0 ? nothing : "");
      if (isBehind(state, names, controls)) patience.start();
      else {
        patience.stop();
        setText(wait, "");
      }
      setAttr(host, "data-lines", state.lines.length);
    });
  };
  scope.onEnd(() => cancelAnimationFrame(frame));
  changed.add(draw);
  scope.onEnd(() => changed.delete(draw));
  scope.watch(model, ["controls"], () => {
    if (!save.waiting) controls = model.get("controls");
    draw();
  });
  scope.watch(model, ["state", "names"], draw);
  return scope.end;
}

/** One for each model: the points belong to the model, and its views share them. */
export default () => {
  const store = new LineStore();
  const changed = new Set<() => void>();
  const tell = () => {
    for (const draw of changed) draw();
  };
  return {
    initialize({ model }: InitializeProps<Traits>): () => void {
      const have = (m: Model) => m.send({ kind: "have", sequence: store.sequence });
      const take = () => {
        store.take(model.get("lines"));
        tell();
      };
      const hear = (message: unknown, buffers?: DataView[]) => {
        const { kind } = message as { kind?: unknown };
        if (kind !== "lines") return;
        if (store.patch(message as LinesMessage, buffers?.[0])) tell();
        else have(model);
      };
      model.on("change:lines", take);
      model.on("msg:custom", hear);
      take();
      // Some may have come before anybody heard them.
      have(model);
      return () => {
        model.off("change:lines", take);
        model.off("msg:custom", hear);
      };
    },
    render: (props: RenderProps<Traits>) => render(props, store, changed),
  };
};
