import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ROW } from "../src/grid";
import runsPanel from "../src/runs";
import type { RunRow, RunsControls } from "../src/wire";
import { button, HOSTILE, mount, press, type } from "./model";
import { NOW, runColumn, runRow, runs, runsControls, runsPatch } from "./states";

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000 });
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

const open = (state = runs([]), controls: Partial<RunsControls> = {}) => {
  const mounted = mount(runsPanel(), { state, controls: runsControls(controls) });
  const names = () => mounted.texts(".rw-grid-body [role=row]:not([hidden]) [role=rowheader]");
  return { ...mounted, names };
};

const many = (count: number, change: (place: number) => Partial<RunRow> = () => ({})): RunRow[] =>
  Array.from({ length: count }, (_, place) =>
    runRow(`run-${place}`, { number: place + 1, ...change(place) }),
  );

/** Rows that are there, in the order in which they stand on the screen. */
const placed = (host: HTMLElement): string[] =>
  [...host.querySelectorAll<HTMLElement>(".rw-grid-body [role=row]:not([hidden])")]
    .sort((a, b) => Number(a.getAttribute("aria-rowindex")) - Number(b.getAttribute("aria-rowindex")))
    .map((row) => row.querySelector("[role=rowheader]")?.textContent ?? "");

test("of thousands of runs only those in sight are elements, and all are counted", () => {
  const { find, host } = open(runs(many(2000)));
  expect(find("[role=grid]").getAttribute("aria-rowcount")).toBe("2001");
  const first = placed(host);
  expect(first.length).toBeLessThan(60);
  expect(first.slice(0, 2)).toEqual(["run-0", "run-1"]);
  const grid = find(".rw-grid");
  grid.scrollTop = 1000 * ROW;
  grid.dispatchEvent(new Event("scroll"));
  expect(placed(host)).toContain("run-1003");
  expect(placed(host).length).toBe(first.length);
  grid.scrollTop = 1e9;
  grid.dispatchEvent(new Event("scroll"));
  expect(placed(host).at(-1)).toBe("run-1999");
});

test("a click on a heading sorts by it, again the other way, and equal rows keep their order", () => {
  const values = [2, 1, 2, 1, null, 2];
  const state = runs(
    many(6, (place) => ({ values: [values[place] ?? null] })),
    { columns: [runColumn("AUC")], primary: { name: "AUC", goal: "maximize" } },
  );
  const { all, host } = open(state);
  const heading = () => button(all(".rw-sort"), "AUC");
  heading().click();
  expect(placed(host)).toEqual(["run-1", "run-3", "run-0", "run-2", "run-5", "run-4"]);
  expect(heading().closest("[role=columnheader]")?.getAttribute("aria-sort")).toBe("ascending");
  heading().click();
  expect(placed(host)).toEqual(["run-0", "run-2", "run-5", "run-1", "run-3", "run-4"]);
  heading().click();
  expect(placed(host)[0]).toBe("run-0");
});

test("the best so far follows the order of creation, and the goal that somebody chooses", () => {
  const values = [3, 1, 2, { float: "NaN" as const }];
  const state = runs(
    many(4, (place) => ({ values: [values[place] ?? null] })),
    { columns: [runColumn("loss")], primary: { name: "loss", goal: "minimize" } },
  );
  const { all, texts, model } = open(state, { columns: ["best"] });
  const best = () => texts(".rw-grid-body .rw-grid-cell:last-child");
  expect(best()).toEqual(["3", "1", "1", "1"]);
  button(all(".rw-choice"), "max").click();
  expect(best()).toEqual(["3", "3", "3", "3"]);
  expect(model.get("controls").goal).toBe("maximize");
  expect(model.save_changes).toHaveBeenCalled();
});

test("another metric that is chosen has the goal that its name suggests", () => {
  const columns = [runColumn("loss"), runColumn("val_accuracy")];
  const { find, all, texts } = open(
    runs(
      many(2, () => ({ values: [1, 2] })),
      { columns },
    ),
  );
  const select = find<HTMLSelectElement>("select");
  select.value = "val_accuracy";
  select.dispatchEvent(new Event("change"));
  expect(texts(".rw-sort-title")).toContain("val_accuracy");
  expect(button(all(".rw-choice"), "max").getAttribute("aria-pressed")).toBe("true");
});

test("the filter looks for all words in names, ids and what runs were started with", () => {
  const rows = many(3, (place) => ({ name: `trial ${place}`, values: [place === 1 ? "adam" : "sgd", 0.5] }));
  const state = runs(rows, { columns: [runColumn("optimizer", "tag"), runColumn("loss")] });
  const { find, texts, host } = open(state);
  const filter = find<HTMLInputElement>("input[type=search]");
  type(filter, "TRIAL optimizer=sgd");
  expect(placed(host)).toEqual(["trial 0", "trial 2"]);
  expect(texts(".rw-told")).toEqual(["showing 2 of 3"]);
  type(filter, "run-1");
  expect(placed(host)).toEqual(["trial 1"]);
  type(filter, "nothing like it");
  expect(texts(".rw-empty")).toContain("No run matches.");
});

test("a click on a count shows the runs of that status, and another click all", () => {
  const failed: Partial<RunRow> = { status: "Failed", status_group: "failed", error: "ValueError: bad" };
  const { all, host, texts, find } = open(runs(many(3, (place) => (place === 1 ? failed : {}))));
  expect(texts(".rw-count-button:not([hidden])")).toEqual(["2 completed", "1 failed"]);
  expect(find(".rw-grid-cell[title='ValueError: bad']").textContent).toBe("Failed");
  button(all(".rw-count-button"), "1 failed").click();
  expect(placed(host)).toEqual(["run-1"]);
  button(all(".rw-count-button"), "1 failed").click();
  expect(placed(host)).toHaveLength(3);
});

test("arrows walk the rows, Enter opens one, space selects, and the focus stays where it is", () => {
  const { find, model, all } = open(runs(many(50)));
  const grid = find(".rw-grid");
  grid.focus();
  const active = () =>
    document.getElementById(grid.getAttribute("aria-activedescendant") ?? "")?.textContent ?? "";
  expect(active()).toContain("run-0");
  for (const key of ["ArrowDown", "ArrowDown", "ArrowUp"]) press(grid, key);
  expect(active()).toContain("run-1");
  press(grid, "End");
  expect(active()).toContain("run-49");
  press(grid, "Home");
  press(grid, "Enter");
  expect(model.send).toHaveBeenLastCalledWith({ kind: "open", run_id: "run-0", name: "run-0" });
  press(grid, " ");
  expect(model.get("controls").selected).toEqual(["run-0"]);
  expect(all("[aria-selected=true]")).toHaveLength(1);
  expect(document.activeElement).toBe(grid);
});

test("a click opens a run, one on its box selects it, and all of what is filtered can be selected", () => {
  const { all, model, find } = open(runs(many(5)));
  all(".rw-grid-body [role=rowheader]")[2]?.click();
  expect(model.send).toHaveBeenLastCalledWith({ kind: "open", run_id: "run-2", name: "run-2" });
  all(".rw-grid-body .rw-grid-pick")[1]?.click();
  all(".rw-grid-body .rw-grid-pick")[3]?.dispatchEvent(
    new MouseEvent("click", { bubbles: true, shiftKey: true }),
  );
  expect(model.get("controls").selected).toEqual(["run-1", "run-2", "run-3"]);
  expect(find<HTMLInputElement>(".rw-grid-head input").indeterminate).toBe(true);
  type(find("input[type=search]"), "run-4");
  find<HTMLInputElement>(".rw-grid-head input").click();
  expect(model.get("controls").selected).toEqual(["run-1", "run-2", "run-3", "run-4"]);
  button(all("button"), "Clear selection").click();
  expect(model.get("controls").selected).toEqual([]);
});

test("what changed is patched in, in its place; the row that is looked at keeps its own", () => {
  const rows = many(1000, (place) => ({ values: [place] }));
  const state = runs(rows, { columns: [runColumn("loss")], primary: { name: "loss", goal: "minimize" } });
  const controls = { sort: { id: "primary", direction: "ascending" as const }, selected: ["run-500"] };
  const { find, model, host } = open(state, controls);
  const grid = find(".rw-grid");
  grid.scrollTop = 500 * ROW + 7;
  grid.dispatchEvent(new Event("scroll"));
  const news = [
    runRow("new", { values: [-1] }),
    runRow("run-3", { values: [2000] }),
    runRow("run-4", { values: [4] }),
  ];
  model.receive(runsPatch(2, [...news, runRow("more", { values: [-2] })], { primary: state.primary }));
  expect(grid.scrollTop).toBe(501 * ROW + 7);
  expect(placed(host)).toContain("run-500");
  expect(find("[aria-selected=true]").textContent).toContain("run-500");
  expect(grid.getAttribute("aria-rowcount")).toBe("1003");
});

test("a patch that does not follow on what is known is asked for, once, and all of it taken", () => {
  const { model, names } = open(runs([runRow("a")], { seq: 4 }));
  expect(model.send.mock.calls).toEqual([[{ kind: "have", seq: 4 }]]);
  model.receive(runsPatch(4, [runRow("known")]));
  expect(names()).toEqual(["a"]);
  model.receive(runsPatch(6, [runRow("c")]));
  model.receive(runsPatch(7, [runRow("d")]));
  expect(names()).toEqual(["a"]);
  expect(model.send.mock.calls.slice(1)).toEqual([]);
  model.set("state", runs([runRow("a"), runRow("b"), runRow("c"), runRow("d")], { seq: 7 }));
  expect(names()).toEqual(["a", "b", "c", "d"]);
  model.receive(runsPatch(9, []));
  expect(model.send).toHaveBeenLastCalledWith({ kind: "have", seq: 7 });
});

test("runs that are gone go, and columns come at the end", () => {
  const { model, names, texts } = open(
    runs([runRow("a", { values: [1] }), runRow("b")], { columns: [runColumn("x")] }),
  );
  const columns = [runColumn("x"), runColumn("y", "tag")];
  model.receive(runsPatch(2, [runRow("c", { values: [2, "new"] })], { columns, removed: ["a"] }));
  expect(names()).toEqual(["b", "c"]);
  expect(texts(".rw-sort-title")).toContain("y");
});

test("columns are chosen, and the usual ones leave out what does not tell runs apart", () => {
  const columns = [
    runColumn("seed", "tag"),
    runColumn("lr", "tag"),
    runColumn("lr", "argument"),
    runColumn("loss"),
  ];
  const rows = many(2, (place) => ({ values: [7, place, place, 1] }));
  const { texts, find, all, model } = open(runs(rows, { columns }));
  expect(texts(".rw-sort-title")).toEqual([
    "#",
    "name",
    "status",
    "lr",
    "loss",
    "started",
    "duration",
    "run id",
  ]);
  button(all("button"), "Columns").click();
  expect(find(".rw-chooser").hidden).toBe(false);
  const box = all(".rw-chooser-item")
    .find((item) => item.textContent === "seed")
    ?.querySelector("input");
  box?.click();
  expect(texts(".rw-sort-title")).toContain("seed");
  button(all("button"), "Usual columns").click();
  expect(model.get("controls").columns).toBeNull();
});

test("the duration of a running run ticks, that of an ended or waiting one does not", () => {
  const rows = [
    runRow("done"),
    runRow("running", { ended_at: null, status: "Running", status_group: "active" }),
    runRow("waiting", { started_at: null, ended_at: null }),
  ];
  const { texts } = open(runs(rows), { columns: ["duration"] });
  const durations = () => texts(".rw-grid-body .rw-grid-cell:last-child");
  expect(durations()).toEqual(["00:01:00", "00:01:40", "—"]);
  vi.advanceTimersByTime(2000);
  expect(durations()).toEqual(["00:01:00", "00:01:42", "—"]);
});

test("an answer that Python does not give is told of, after a while", () => {
  const { find, all } = open(runs(many(2)));
  all(".rw-grid-body [role=rowheader]")[0]?.click();
  expect(find(".rw-waiting").hidden).toBe(true);
  vi.advanceTimersByTime(301);
  expect(find(".rw-waiting").textContent).toBe("Waiting for Python …");
});

test("no runs and left-out runs are told", () => {
  const { find, model, texts } = open(runs([]));
  expect(find(".rw-yet").textContent).toBe("No child runs yet.");
  model.set("state", runs([runRow("a")], { total: 2000 }));
  expect(texts(".rw-told")).toEqual(["showing 1 of 2000"]);
});

test("names that look like markup are shown as text", () => {
  const rows = many(2, (place) => ({
    name: HOSTILE,
    status: HOSTILE,
    error: HOSTILE,
    values: [HOSTILE, `${HOSTILE}${place}`],
  }));
  const { host } = open(runs(rows, { columns: [runColumn(HOSTILE), runColumn(HOSTILE, "tag")] }));
  expect(host.querySelectorAll("img").length).toBe(0);
  expect([...host.querySelectorAll("b")].every((b) => b.children.length === 0)).toBe(true);
});

test("a second view of the model has the patches too, and after clean-up nothing is left", () => {
  const panel = runsPanel();
  const { model, end, host } = mount(panel, { state: runs([runRow("a")]), controls: runsControls() });
  model.receive(runsPatch(2, [runRow("b")]));
  const second = document.createElement("div");
  const leave = panel.render({ model, el: second } as never);
  expect(placed(second)).toEqual(["a", "b"]);
  leave();
  end();
  expect([vi.getTimerCount(), model.listenerCount, host.childNodes.length]).toEqual([0, 0, 0]);
});
