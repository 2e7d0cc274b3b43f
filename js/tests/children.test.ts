import { afterEach, beforeEach, expect, test, vi } from "vitest";
import childrenPanel from "../src/children";
import { button, HOSTILE, mount } from "./model";
import { child, children, NOW } from "./states";

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000 });
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

const open = (state: ReturnType<typeof children>) => mount(childrenPanel, { state });

const durations = (texts: (selector: string) => string[]) => texts("tbody td:last-child");

test("the duration of a running child ticks, that of an ended or waiting one does not", () => {
  const rows = [
    child("done"),
    child("running", { ended_at: null, status: "Running", status_group: "active" }),
    child("waiting", { started_at: null, ended_at: null }),
  ];
  const { texts } = open(children(rows));
  expect(durations(texts)).toEqual(["00:01:00", "00:01:40", "—"]);
  vi.advanceTimersByTime(2000);
  expect(durations(texts)).toEqual(["00:01:00", "00:01:42", "—"]);
});

test("each column shows the child's value, or a dash where it has none", () => {
  const rows = [child("a", { values: [0.5, null] }), child("b", { values: [] })];
  const { texts } = open(children(rows, { columns: ["AUC", "note"] }));
  expect(texts("thead .rw-sort-title")).toEqual([
    "#",
    "name",
    "status",
    "AUC",
    "note",
    "started",
    "duration",
  ]);
  expect(texts("tbody tr:first-child td").slice(2, 4)).toEqual(["0.5", "—"]);
  expect(texts("tbody tr:last-child td").slice(2, 4)).toEqual(["—", "—"]);
});

test("children sort by a metric, and the sort outlives a new column", () => {
  const values = [[2], [1], [{ float: "NaN" as const }]];
  const rows = values.map((value, index) => child("abc"[index] ?? "", { values: value }));
  const { all, texts, model } = open(children(rows, { columns: ["AUC"] }));
  button(all(".rw-sort"), "AUC").click();
  expect(texts("tbody th")).toEqual(["b", "a", "c"]);
  model.set("state", children(rows, { columns: ["AUC", "loss"] }));
  expect(texts("tbody th")).toEqual(["b", "a", "c"]);
  model.set("state", children(rows, { columns: ["loss"] }));
  expect(texts("tbody th")).toEqual(["a", "b", "c"]);
});

test("rows keep their elements when children are added", () => {
  const { all, model } = open(children([child("a"), child("b")]));
  const before = all("tbody tr");
  model.set("state", children([child("a"), child("b", { status: "Failed" }), child("c")]));
  expect(all("tbody tr").slice(0, 2)).toEqual(before);
});

test("a status is a word beside its dot", () => {
  const { find } = open(children([child("a", { status: "NotResponding", status_group: "silent" })]));
  expect(find("td .rw-status").textContent).toBe("NotResponding");
  expect(find("td .rw-dot").classList.contains("rw-dot-silent")).toBe(true);
});

test("no children and left-out children are told", () => {
  const { find, model } = open(children([]));
  expect(find(".rw-yet").textContent).toBe("No child runs yet.");
  model.set("state", children([child("a")], { total: 2000 }));
  expect(find(".rw-more").textContent).toBe("showing 1 of 2000");
});

test("names that look like markup are shown as text", () => {
  const rows = [child("a", { name: HOSTILE, status: HOSTILE, values: [HOSTILE] })];
  const { host } = open(children(rows, { columns: [HOSTILE] }));
  expect(host.querySelectorAll("img, b").length).toBe(0);
});

test("after clean-up no listener, timer or element is left", () => {
  const { host, model, end } = open(children([child("a")]));
  end();
  expect([vi.getTimerCount(), model.listenerCount, host.childNodes.length]).toEqual([0, 0, 0]);
});
