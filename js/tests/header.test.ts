import { afterEach, beforeEach, expect, test, vi } from "vitest";
import header from "../src/header";
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

const open = (change: Parameters<typeof state>[0] = {}, selected_index = 0) =>
  mount(header, { state: state(change), selected_index, time_zone: ZONE });

test("elapsed time and the countdown tick once a second between states", () => {
  const { find } = open();
  expect(find(".rw-elapsed").textContent).toBe("elapsed 00:02:41");
  expect(find(".rw-next").textContent).toBe("next refresh 8 s");
  vi.advanceTimersByTime(3000);
  expect(find(".rw-elapsed").textContent).toBe("elapsed 00:02:44");
  expect(find(".rw-next").textContent).toBe("next refresh 5 s");
  vi.advanceTimersByTime(9000);
  expect(find(".rw-next").textContent).toBe("refresh due");
});

test("a browser whose clock is an hour off shows the kernel's elapsed time", () => {
  vi.setSystemTime((NOW + 3600) * 1000);
  const { find } = open();
  vi.advanceTimersByTime(1000);
  expect(find(".rw-elapsed").textContent).toBe("elapsed 00:02:42");
});

test("an ended run says how long it ran, and no longer ticks or counts down", () => {
  const { find } = open({ ended_at: NOW - 152, next_refresh_at: null, status_group: "done" });
  vi.advanceTimersByTime(5000);
  expect(find(".rw-elapsed").textContent).toBe("ran 00:00:09");
  expect(find(".rw-refresh").hidden).toBe(true);
});

test("Python hears once of the zone in which the browser writes times", () => {
  const { model } = mount(header, { state: state(), selected_index: 0, time_zone: "" });
  expect(model.get("time_zone")).toBe(ZONE);
  expect(model.save_changes).toHaveBeenCalledTimes(1);
  expect(open().model.save_changes).not.toHaveBeenCalled();
});

test("a run that has not started has no elapsed time", () => {
  expect(open({ started_at: null }).find(".rw-elapsed").hidden).toBe(true);
});

test("progress of known length is a determinate bar with a time left that ticks down", () => {
  const { find } = open({
    progress: { done: 14, total: 30, unit: "epoch", seconds_left: 185, is_from_output: false },
  });
  const bar = find("[role=progressbar]");
  expect(["valuemin", "valuenow", "valuemax"].map((name) => bar.getAttribute(`aria-${name}`))).toEqual([
    "0",
    "14",
    "30",
  ]);
  expect(find(".rw-progress-bar").style.width).toBe("46.67%");
  expect(find(".rw-done").textContent).toBe("epoch 14 / 30");
  vi.advanceTimersByTime(5000);
  expect(find(".rw-left").textContent).toBe("about 00:03:00 left");
});

test("what the queue says stands beside the status, as text", () => {
  const { find, host, model } = open({
    status: "Queued",
    status_group: "waiting",
    queue: `3rd of 5 ${HOSTILE}`,
  });
  expect(find(".rw-queue").textContent).toBe(`3rd of 5 ${HOSTILE}`);
  expect(host.querySelectorAll("img").length).toBe(0);
  model.set("state", state());
  expect(find(".rw-queue").hidden).toBe(true);
});

test("a tab that is not shown is passed over, and the others keep their places", () => {
  const tabs = state().tabs.map((tab) => ({ ...tab, is_shown: tab.id !== "children" }));
  const { all, model } = open({ tabs });
  expect(all("[role=tab]").map((tab) => tab.hidden)).toEqual([false, true, false]);
  press(all("[role=tab]")[0] as Element, "ArrowRight");
  expect(model.get("selected_index")).toBe(2);
  press(all("[role=tab]")[2] as Element, "ArrowRight");
  expect(model.get("selected_index")).toBe(0);
});

test("progress that was read in what the script prints is marked as such", () => {
  const progress = { done: 45, total: 100, unit: "Epoch 3:", seconds_left: 12, is_from_output: true };
  const { find, model } = open({ progress });
  expect(find(".rw-done").textContent).toBe("Epoch 3: 45 / 100");
  expect(find(".rw-source").hidden).toBe(false);
  expect(find(".rw-source").textContent).toBe("read from the output");
  model.set("state", state({ progress: { ...progress, is_from_output: false } }));
  expect(find(".rw-source").hidden).toBe(true);
});

test("an estimate that has run out before the run is not shown", () => {
  const { find } = open({
    progress: { done: 10, total: 20, unit: "", seconds_left: 3, is_from_output: false },
  });
  vi.advanceTimersByTime(2000);
  expect(find(".rw-left").hidden).toBe(false);
  vi.advanceTimersByTime(1000);
  expect(find(".rw-left").hidden).toBe(true);
});

test("a number of which neither unit nor total is known says that it is done", () => {
  const { find } = open({
    progress: { done: 7, total: null, unit: "", seconds_left: null, is_from_output: false },
  });
  expect(find(".rw-done").textContent).toBe("7 done");
});

test("without a kernel the clock stands still, the status is of the past, and nothing can be asked", () => {
  const { find, host } = open({
    status: "Running",
    progress: { done: 14, total: 30, unit: "epoch", seconds_left: 185, is_from_output: false },
  });
  vi.advanceTimersByTime(3000);
  host.classList.add("jupyter-widgets-disconnected");
  vi.advanceTimersByTime(10_000);
  expect(find(".rw-elapsed").textContent).toBe("elapsed 00:02:45");
  expect(find(".rw-status-word").textContent).toBe("was Running");
  expect(find(".rw-dot").className).toBe("rw-dot rw-dot-silent");
  expect(find(".rw-refresh").textContent).toContain("kernel gone");
  expect([
    find(".rw-next").hidden,
    find("[aria-label='Refresh now']").hidden,
    find(".rw-left").hidden,
  ]).toEqual([true, true, true]);
  host.classList.remove("jupyter-widgets-disconnected");
  vi.advanceTimersByTime(1000);
  expect(find(".rw-status-word").textContent).toBe("Running");
  expect(find(".rw-gone-word").textContent).toBe("");
});

test("a run that has ended keeps its status without a kernel", () => {
  const { find, host } = open({
    status: "Completed",
    status_group: "done",
    ended_at: NOW,
    next_refresh_at: null,
  });
  host.classList.add("jupyter-widgets-disconnected");
  vi.advanceTimersByTime(1000);
  expect(find(".rw-status-word").textContent).toBe("Completed");
  expect(find(".rw-dot").className).toBe("rw-dot rw-dot-done");
  expect(find(".rw-refresh").textContent).toContain("kernel gone");
});

test("progress of unknown length is an indeterminate bar without a value", () => {
  const { find } = open({
    progress: { done: 5210, total: null, unit: "step", seconds_left: null, is_from_output: false },
  });
  const bar = find("[role=progressbar]");
  expect(bar.hasAttribute("aria-valuenow")).toBe(false);
  expect(bar.classList.contains("rw-indeterminate")).toBe(true);
  expect(find(".rw-done").textContent).toBe("step 5210");
  expect(find(".rw-left").hidden).toBe(true);
});

test("without progress there is no bar", () => {
  expect(open().find(".rw-progress-box").hidden).toBe(true);
});

test("the refresh button asks once, is busy until the next state, and then may ask again", () => {
  const { find, model } = open();
  const refresh = find("[aria-label='Refresh now']");
  refresh.click();
  refresh.click();
  expect(model.send.mock.calls).toEqual([[{ kind: "refresh" }]]);
  expect(refresh.getAttribute("aria-busy")).toBe("true");
  model.set("state", state());
  expect(refresh.hasAttribute("aria-busy")).toBe(false);
});

test("the refresh button does not stay busy when no state comes", () => {
  const { find } = open();
  find("[aria-label='Refresh now']").click();
  vi.advanceTimersByTime(15_000);
  expect(find("[aria-label='Refresh now']").hasAttribute("aria-busy")).toBe(false);
});

test("the traceback opens on demand and stays open over a new state", () => {
  const error = { code: "ValueError", message: "Input X contains NaN.", traceback: "Traceback\n  line 31" };
  const { find, model } = open({ error });
  const toggle = button([find(".rw-banner-error .rw-button")], "Show traceback");
  expect(find(".rw-traceback").hidden).toBe(true);
  toggle.click();
  expect(find(".rw-traceback").textContent).toBe(error.traceback);
  expect(toggle.getAttribute("aria-expanded")).toBe("true");
  model.set("state", state({ error, banner: "late" }));
  expect(find(".rw-traceback").hidden).toBe(false);
  toggle.click();
  expect(find(".rw-traceback").hidden).toBe(true);
});

test("an error without a traceback offers none", () => {
  const { find } = open({ error: { code: "E", message: "m", traceback: null } });
  expect(find(".rw-banner-error .rw-button").hidden).toBe(true);
});

test("a failed refresh is a status banner that leaves with the next good state", () => {
  const { find, model } = open({ banner: "The store is locked." });
  const banner = find(".rw-banner-warning");
  expect([banner.getAttribute("role"), banner.hidden]).toEqual(["status", false]);
  model.set("state", state());
  expect(banner.hidden).toBe(true);
});

test("clicking a tab selects it in Python", () => {
  const { all, model } = open();
  all("[role=tab]")[1]?.click();
  expect(model.get("selected_index")).toBe(1);
  expect(model.save_changes).toHaveBeenCalledOnce();
  expect(all("[role=tab]").map((tab) => tab.getAttribute("aria-selected"))).toEqual([
    "false",
    "true",
    "false",
  ]);
});

test("the open tab is written into the root of the display, which shows that tab's page", () => {
  const root = document.createElement("div");
  root.className = "runwidgets";
  document.body.append(root);
  const { host, model, all } = open();
  root.append(host);
  all("[role=tab]")[1]?.click();
  expect(root.dataset).toEqual({ page: "children" });
  model.set("selected_index", 0);
  expect(root.dataset).toEqual({ page: "metrics" });
});

test("arrows, Home and End move through the tabs, and one tab only is in the tab order", () => {
  const { all, model } = open();
  const tabs = all("[role=tab]");
  const go = (key: string) => {
    press(document.activeElement as Element, key);
    return model.get("selected_index");
  };
  tabs[0]?.focus();
  expect([go("ArrowLeft"), go("ArrowRight"), go("ArrowRight"), go("End"), go("Home")]).toEqual([
    2, 0, 1, 2, 0,
  ]);
  expect(document.activeElement).toBe(tabs[0]);
  expect(tabs.map((tab) => tab.tabIndex)).toEqual([0, -1, -1]);
});

test("a narrow strip scrolls to the open tab and says at which side there is more", () => {
  const { find, all, model } = open();
  const strip = find("[role=tablist]");
  const tabs = all("[role=tab]");
  const place = (node: Element, left: number, width: number) => {
    node.getBoundingClientRect = () =>
      ({ left: left - (node === strip ? 0 : strip.scrollLeft), right: 0, width }) as DOMRect;
    const box = node.getBoundingClientRect;
    node.getBoundingClientRect = () => ({ ...box(), right: box().left + width });
  };
  place(strip, 0, 200);
  tabs.forEach((tab, at) => {
    place(tab, at * 150, 150);
  });
  Object.defineProperty(strip, "scrollWidth", { value: 450 });
  Object.defineProperty(strip, "clientWidth", { value: 200 });
  model.set("selected_index", 1);
  expect([strip.scrollLeft, strip.getAttribute("data-more")]).toEqual([122, "left right"]);
  press(tabs[1] as Element, "End");
  expect(strip.scrollLeft).toBe(272);
  strip.scrollLeft = 10;
  model.set("state", state({ banner: "anything" }));
  expect(strip.scrollLeft).toBe(10);
  press(tabs[2] as Element, "Home");
  strip.scrollLeft = 0;
  strip.dispatchEvent(new Event("scroll"));
  expect(strip.getAttribute("data-more")).toBe("right");
});

test("a tab that arrives while live joins the strip; the selection and the focus stay", () => {
  const { all, texts, model } = open({}, 1);
  const chosen = all("[role=tab]")[1];
  chosen?.focus();
  const tabs = state().tabs;
  model.set("state", state({ tabs: [...tabs, { id: "images", title: "Images", count: 1, is_shown: true }] }));
  expect(texts("[role=tab]")).toEqual(["Metrics5", "Child runs24", "Details", "Images1"]);
  expect(all("[role=tab]")[1]).toBe(chosen);
  expect(document.activeElement).toBe(chosen);
  expect(chosen?.getAttribute("aria-selected")).toBe("true");
});

test("names and messages that look like markup are shown as text", () => {
  const { host, find } = open({
    run_name: HOSTILE,
    experiment: HOSTILE,
    status: HOSTILE,
    banner: HOSTILE,
    error: { code: HOSTILE, message: HOSTILE, traceback: HOSTILE },
    tabs: [{ id: "metrics", title: HOSTILE, count: null, is_shown: true }],
  });
  expect(host.querySelectorAll("img").length).toBe(0);
  expect(find(".rw-run").textContent).toBe(HOSTILE);
  expect(find(".rw-traceback").textContent).toBe(HOSTILE);
});

test("after clean-up no listener, timer or element is left", () => {
  const { host, find, model, end } = open();
  const refresh = find("[aria-label='Refresh now']");
  const tab = find("[role=tab]");
  refresh.click();
  expect(vi.getTimerCount()).toBeGreaterThan(0);
  end();
  expect(vi.getTimerCount()).toBe(0);
  expect(model.listenerCount).toBe(0);
  expect(host.childNodes.length).toBe(0);
  refresh.removeAttribute("aria-busy");
  refresh.click();
  tab.click();
  expect(model.send).toHaveBeenCalledOnce();
  expect(model.save_changes).not.toHaveBeenCalled();
});
