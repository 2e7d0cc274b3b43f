/** What stands above a table of runs: how many there are by status, the filter, what is compared, and the columns. */
import { el, hasFocus, setAttr, setText, show } from "./dom";
import { formatNumber } from "./format";
import { KeyedList } from "./keyed";
import { FIXED } from "./runcolumns";
import type { RunStore } from "./runstore";
import type { Scope } from "./scope";
import type { Goal, Primary, RunColumn, RunsControls, StatusGroup } from "./wire";

const FILTER_WAIT_MS = 300;
const WORDS: Record<StatusGroup, string> = {
  active: "running",
  waiting: "waiting",
  done: "completed",
  failed: "failed",
  canceled: "canceled",
  silent: "not responding",
};
const GROUPS = Object.keys(WORDS) as StatusGroup[];

/** A bar of the counts by status; a click on one shows only those. */
export function countsView(signal: AbortSignal, choose: (group: StatusGroup | null) => void) {
  const strip = el("div", { class: "rw-counts-strip", "aria-hidden": "true" });
  const list = el("div", { class: "rw-counts-words", role: "group", "aria-label": "Status" });
  const node = el("div", { class: "rw-counts" }, strip, list);
  let chosen: StatusGroup | null = null;
  const parts = GROUPS.map((group) => {
    const part = el("span", { class: `rw-count-part rw-dot-${group}` });
    const number = el("b", {});
    const button = el(
      "button",
      { class: "rw-count-button", type: "button" },
      el("span", { class: `rw-dot rw-dot-${group}`, "aria-hidden": "true" }),
      number,
      ` ${WORDS[group]}`,
    );
    const toggle = () => choose(chosen === group ? null : group);
    button.addEventListener("click", toggle, { signal });
    part.addEventListener("click", toggle, { signal });
    strip.append(part);
    list.append(button);
    return { group, part, number, button };
  });
  return {
    node,
    patch(counts: ReadonlyMap<StatusGroup, number>, status: StatusGroup | null) {
      chosen = status;
      for (const { group, part, number, button } of parts) {
        const count = counts.get(group) ?? 0;
        const seen = count > 0 || status === group;
        show(part, count > 0);
        show(button, seen);
        setText(number, formatNumber(count));
        part.style.flexGrow = String(count);
        setAttr(part, "title", `${formatNumber(count)} ${WORDS[group]}`);
        setAttr(button, "aria-pressed", String(status === group));
        part.classList.toggle("rw-off", status !== null && status !== group);
      }
    },
  };
}

interface Choice {
  id: string;
  title: string;
}

/** The columns that there are, in groups, each with a box to tick. */
function chooserView(signal: AbortSignal, change: (id: string, shown: boolean) => void, reset: () => void) {
  const usual = el("button", { class: "rw-button", type: "button" }, "Usual columns");
  usual.addEventListener("click", reset, { signal });
  const titles: Record<string, string> = {
    argument: "Arguments",
    tag: "Tags",
    property: "Properties",
    metric: "Metrics",
    run: "Run",
  };
  const shown = new Set<string>();
  const groups = Object.entries(titles).map(([source, title]) => {
    const list = el("div", { class: "rw-chooser-list" });
    const node = el(
      "div",
      { class: "rw-chooser-group", role: "group", "aria-label": title },
      el("span", { class: "rw-chooser-title" }, title),
      list,
    );
    const choices = new KeyedList<Choice>(
      list,
      ({ id }) => id,
      ({ id }) => {
        const box = el("input", { type: "checkbox" });
        const words = el("span", {});
        box.addEventListener("change", () => change(id, box.checked), { signal });
        return {
          node: el("label", { class: "rw-chooser-item" }, box, words),
          patch({ title }) {
            box.checked = shown.has(id);
            setText(words, title);
            setAttr(words, "title", title);
          },
        };
      },
    );
    return { source, node, choices };
  });
  const node = el("div", { class: "rw-chooser" }, ...groups.map(({ node }) => node), usual);
  return {
    node,
    patch(columns: readonly RunColumn[], ids: readonly string[]) {
      shown.clear();
      for (const id of ids) shown.add(id);
      for (const { source, node, choices } of groups) {
        const found =
          source === "run"
            ? [...FIXED]
            : columns.filter((c) => c.source === source).map(({ id, name }) => ({ id, title: name }));
        show(node, found.length > 0);
        choices.update(found);
      }
    },
  };
}

export interface RunsBar {
  node: HTMLElement;
  chooser: HTMLElement;
  /** The text of the filter as it is typed. */
  filter(): string;
  patch(store: RunStore, controls: RunsControls, primary: Primary | null, ids: readonly string[]): void;
  /** Says how many rows are shown and selected. */
  tell(words: string, selected: number): void;
}

/** `set` takes what changed of the controls, `typed` is called at each stroke in the filter. */
export function runsBar(
  scope: Scope,
  set: (change: Partial<RunsControls>) => void,
  typed: () => void,
  changeColumn: (id: string, shown: boolean) => void,
): RunsBar {
  const { signal } = scope;
  const filter = el("input", {
    class: "rw-filter",
    type: "search",
    placeholder: "Filter by name, id or tag",
    "aria-label": "Filter runs",
    autocomplete: "off",
    spellcheck: "false",
  });
  const wait = scope.delay(FILTER_WAIT_MS, () => set({ filter: filter.value }));
  filter.addEventListener(
    "input",
    () => {
      typed();
      wait.restart();
    },
    { signal },
  );
  const metric = el("select", { class: "rw-select", "aria-label": "Metric to compare" });
  metric.addEventListener("change", () => set({ metric: metric.value, goal: null }), { signal });
  const goals: [Goal, HTMLElement][] = (["minimize", "maximize"] as const).map((goal) => {
    const button = el("button", { class: "rw-choice", type: "button" }, goal === "minimize" ? "min" : "max");
    setAttr(button, "title", goal === "minimize" ? "Less is better" : "More is better");
    button.addEventListener("click", () => set({ goal }), { signal });
    return [goal, button];
  });
  const compare = el(
    "span",
    { class: "rw-field" },
    el("span", { "aria-hidden": "true" }, "compare"),
    metric,
    el(
      "span",
      { class: "rw-choices", role: "group", "aria-label": "goal" },
      ...goals.map(([, button]) => button),
    ),
  );
  const chooser = chooserView(signal, changeColumn, () => set({ columns: null }));
  const columns = el("button", { class: "rw-button", type: "button", "aria-expanded": "false" }, "Columns");
  const reveal = (open: boolean) => {
    show(chooser.node, open);
    setAttr(columns, "aria-expanded", String(open));
  };
  columns.addEventListener("click", () => reveal(Boolean(chooser.node.hidden)), { signal });
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    reveal(false);
    columns.focus();
  };
  chooser.node.addEventListener("keydown", leave, { signal });
  reveal(false);
  const told = el("span", { class: "rw-muted rw-told", role: "status" });
  const none = el("button", { class: "rw-button", type: "button" }, "Clear selection");
  none.addEventListener("click", () => set({ selected: [] }), { signal });
  const node = el("div", { class: "rw-toolbar" }, filter, compare, columns, told, none);
  let options = "";
  return {
    node,
    chooser: chooser.node,
    filter: () => filter.value,
    patch(store, controls, primary, ids) {
      if (!hasFocus(filter) && !wait.waiting && filter.value !== controls.filter)
        filter.value = controls.filter;
      const names = store.columns.filter(({ source }) => source === "metric").map(({ name }) => name);
      if (primary && !names.includes(primary.name)) names.unshift(primary.name);
      const text = JSON.stringify(names);
      if (text !== options) {
        options = text;
        metric.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
      }
      if (primary) metric.value = primary.name;
      show(compare, names.length > 0);
      for (const [goal, button] of goals) setAttr(button, "aria-pressed", String(primary?.goal === goal));
      chooser.patch(store.columns, ids);
    },
    tell(words, selected) {
      setText(told, words);
      show(none, selected > 0);
    },
  };
}
