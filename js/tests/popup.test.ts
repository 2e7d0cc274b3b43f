import { afterEach, beforeEach, expect, test, vi } from "vitest";
import popupPanel from "../src/popup";
import { answerPopup } from "../src/popupevent";
import runsPanel from "../src/runs";
import { button, HOSTILE, mount, press } from "./model";
import { runRow, runs, runsControls } from "./states";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

/** A table and the pop-up over it in one box, as ipywidgets lays them out. */
function both(name = "b") {
  const state = runs(["a", "b", "c"].map((id) => runRow(id)));
  const table = mount(runsPanel(), { state, controls: runsControls() });
  const bar = mount(popupPanel, { state: { run_id: "b", run_name: name, trouble: null } });
  const home = document.createElement("div");
  home.className = "rw-popup-home";
  const box = document.createElement("div");
  box.className = "rw-popup";
  box.append(bar.host);
  home.append(table.host, box);
  document.body.append(home);
  table.all(".rw-grid-body [role=rowheader]")[1]?.click(); // which also lets the table listen to its box
  // happy-dom lays nothing out: the state says anew that the bar is there.
  bar.model.set("state", { run_id: "b", run_name: name, trouble: null });
  return { table, bar, box, home };
}

test("the bar says which of the table's runs it is, and marks the row", () => {
  const { bar, table } = both();
  expect(bar.find(".rw-popup-place").textContent).toBe("2 of 3");
  expect(table.find(".rw-marked").textContent).toContain("b");
});

test("stepping goes by the order of the table, and Python is asked where it rests", () => {
  const { bar, table } = both();
  table.model.send.mockClear();
  table.model.set("controls", runsControls({ sort: { id: "name", direction: "descending" } }));
  button(bar.all("button"), "Next run").click();
  expect(bar.find(".rw-popup-name").textContent).toBe("a");
  button(bar.all("button"), "Next run").click(); // there is none
  expect(bar.find(".rw-popup-name").textContent).toBe("a");
  expect(table.model.send).not.toHaveBeenCalled();
  vi.advanceTimersByTime(200);
  expect(table.model.send.mock.calls).toEqual([[{ kind: "open", run_id: "a", name: "a" }]]);
  vi.advanceTimersByTime(301);
  expect(bar.find("[role=status]").textContent).toBe("waiting for Python …");
});

test("closing needs no answer, and gives the focus back to the table, at the row", () => {
  const { bar, table } = both();
  button(bar.all("button"), "Close").click();
  expect(bar.model.send).toHaveBeenCalledWith({ kind: "close" });
  expect(document.activeElement).toBe(table.find(".rw-grid"));
  expect(table.host.querySelector(".rw-marked")).toBeNull();
  const active = table.find(".rw-grid").getAttribute("aria-activedescendant");
  expect(document.getElementById(active ?? "")?.textContent).toContain("b");
});

test("an event of a pop-up within a pop-up is none of the outer table's", () => {
  const { home, box } = both();
  const inner = document.createElement("div");
  inner.className = "rw-popup-home";
  const deep = document.createElement("div");
  inner.append(deep);
  box.append(inner);
  const heard: string[] = [];
  const ends = [
    answerPopup(inner, (event) => {
      heard.push("inner");
      event.stopPropagation();
    }),
    answerPopup(home, () => heard.push("outer")),
  ];
  deep.dispatchEvent(new CustomEvent("rw-popup", { bubbles: true, detail: { kind: "closed", run_id: "x" } }));
  expect(heard).toEqual(["inner"]);
  for (const end of ends) end?.();
});

test("keys that are not for the bar are left to others", () => {
  const { bar } = both();
  press(bar.find(".rw-popup-bar"), "x");
  expect(bar.model.send).not.toHaveBeenCalled();
});

test("a name that looks like markup is shown as text, and after clean-up nothing is left", () => {
  const { bar } = both(HOSTILE);
  expect(bar.find(".rw-popup-name").textContent).toBe(HOSTILE);
  expect(bar.host.querySelectorAll("img").length).toBe(0);
  bar.end();
  expect([bar.model.listenerCount, bar.host.childNodes.length]).toEqual([0, 0]);
});
