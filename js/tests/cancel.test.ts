import { afterEach, beforeEach, expect, test, vi } from "vitest";
import headerPanel from "../src/header";
import { button, HOSTILE, mount, press } from "./model";
import { NOW, header as state } from "./states";

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000 });
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

function open(change: Parameters<typeof state>[0] = {}) {
  const view = mount(headerPanel, { state: state(change), selected_index: 0, time_zone: ZONE });
  const click = (label: string) => button(view.all("button"), label).click();
  return { ...view, click, cancel: view.find(".rw-cancel"), ask: view.find(".rw-confirm") };
}

const CANCEL = { kind: "cancel" };

test("a run is canceled by a click and an answer, and by nothing less", () => {
  const { model, click, ask, cancel } = open();
  expect(ask.hidden).toBe(true);
  cancel.click();
  expect([ask.hidden, cancel.getAttribute("aria-expanded")]).toEqual([false, "true"]);
  expect(ask.textContent).toContain("Cancel this run?");
  expect(model.send).not.toHaveBeenCalled();
  click("Yes, cancel");
  expect(model.send.mock.calls).toEqual([[CANCEL]]);
  expect([ask.hidden, cancel.getAttribute("aria-busy")]).toEqual([true, "true"]);
  cancel.click();
  expect(ask.hidden).toBe(true);
});

test("the harmless answer has the focus, and gives it back", () => {
  const { model, click, ask, cancel, all } = open();
  cancel.click();
  expect(document.activeElement).toBe(button(all("button"), "Keep running"));
  click("Keep running");
  expect([ask.hidden, document.activeElement === cancel]).toEqual([true, true]);
  expect(model.send).not.toHaveBeenCalled();
});

test("Escape takes the question back", () => {
  const { model, ask, cancel } = open();
  cancel.click();
  press(document.activeElement as Element, "Escape");
  expect([ask.hidden, document.activeElement === cancel]).toEqual([true, true]);
  expect(model.send).not.toHaveBeenCalled();
});

test.each([
  [0, "Cancel this run?"],
  [1, "Cancel this run and its child run?"],
  [3, "Cancel this run and its 3 child runs?"],
])("with %i child runs it asks: %s", (open_children, text) => {
  expect(open({ open_children }).find(".rw-confirm .rw-banner-text").textContent).toBe(text);
});

test("once the run has ended, neither button nor question is there, and the focus is not lost", () => {
  const { model, ask, cancel, find } = open();
  cancel.click();
  model.set("state", state({ can_cancel: false, status: "Completed", status_group: "done", ended_at: NOW }));
  expect([ask.hidden, cancel.hidden]).toEqual([true, true]);
  expect(document.activeElement).toBe(find("[role=tab]"));
});

test("without an answer of Python it can be asked for again after a while", () => {
  const { cancel, click } = open();
  cancel.click();
  click("Yes, cancel");
  vi.advanceTimersByTime(15_000);
  expect(cancel.getAttribute("aria-busy")).toBe(null);
});

test("why it was not canceled is told as text", () => {
  const { find, host } = open({ cancel_trouble: HOSTILE });
  expect(find(".rw-cancel-trouble").textContent).toBe(`The run was not canceled: ${HOSTILE}`);
  expect(host.querySelectorAll("img, b[onerror]").length).toBe(0);
});
