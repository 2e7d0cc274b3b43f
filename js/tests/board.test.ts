import { afterEach, beforeEach, expect, test, vi } from "vitest";
import boardPanel from "../src/board";
import { button, HOSTILE, mount, press } from "./model";
import { active, board, NOW, queued, target } from "./states";

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000 });
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

function open(state: ReturnType<typeof board>) {
  const view = mount(boardPanel, { state });
  const shown = (selector: string) => view.all(selector).filter((node) => !node.closest("[hidden]"));
  const row = (index: number) => shown(".rw-job")[index] as HTMLElement;
  const inRow = (index: number, label: string) =>
    button([...row(index).querySelectorAll<HTMLElement>("button")], label);
  return { ...view, shown, row, inRow };
}

test("the head tells how many slots are taken and how many runs wait", () => {
  const { texts, shown, model, find } = open(
    board([target({ active: [active("a"), active("b")], queued: [queued("c", 1)] })]),
  );
  expect(texts(".rw-target-slots > span")).toEqual(["2 of 4 slots taken", "1 waits"]);
  expect(find(".rw-meter-bar").style.width).toBe("50%");
  model.set("state", board([target({ taken: 9 })]));
  expect(find(".rw-meter-bar").style.width).toBe("100%");
  expect(shown(".rw-target-slots > .rw-muted")).toEqual([]);
});

test("how long a run goes on or waits ticks by itself", () => {
  const preparing = active("b", { started_at: null, status: "Preparing" });
  const { texts } = open(board([target({ active: [active("a"), preparing], queued: [queued("c", 1)] })]));
  expect(texts(".rw-job-span")).toEqual(["running 00:01:01", "", "waiting 00:00:05"]);
  vi.advanceTimersByTime(2000);
  expect(texts(".rw-job-span")).toEqual(["running 00:01:03", "", "waiting 00:00:07"]);
});

test("progress, priority and owner are shown where there is any", () => {
  const progress = { done: 3, total: 10, unit: "epoch", seconds_left: null, is_from_output: false };
  const { shown, texts } = open(
    board([
      target({
        active: [active("a", { progress, owner: "" })],
        queued: [queued("b", 1, { priority: 5 }), queued("c", 2)],
      }),
    ]),
  );
  expect(shown(".rw-job-more").map((node) => node.textContent)).toEqual(["epoch 3 / 10", "priority 5"]);
  expect(texts(".rw-job-owner")).toEqual(["", "ada", "ada"]);
  expect(shown(".rw-place").map((node) => node.textContent)).toEqual(["1.", "2."]);
});

test("a run that ended leaves, and those that stay keep their elements", () => {
  const { model, all, row } = open(board([target({ active: [active("a"), active("b")] })]));
  const stays = row(1);
  model.set("state", board([target({ active: [active("b"), active("c")] })]));
  expect(all(".rw-job").map((node) => node.querySelector(".rw-job-id")?.textContent)).toEqual(["b", "c"]);
  expect(row(0)).toBe(stays);
});

test("of a long queue it says how many more there are", () => {
  const { shown } = open(board([target({ queued: [queued("a", 1)], queued_total: 151 })]));
  expect(shown(".rw-more").map((node) => node.textContent)).toEqual(["and 150 more"]);
});

test("a target with nothing on it says so, unless it could not be looked at", () => {
  const { shown, model } = open(board([target({ name: "local" })]));
  expect(shown(".rw-empty").map((node) => node.textContent)).toEqual([
    "No run is active or queued on 'local'.",
  ]);
  model.set("state", board([target({ name: "local", trouble: HOSTILE })]));
  expect(shown(".rw-empty")).toEqual([]);
  expect(shown(".rw-banner-warning .rw-banner-text").map((node) => node.textContent)).toEqual([HOSTILE]);
});

test("a run is canceled by a click and an answer in its own row", () => {
  const { model, inRow, row } = open(board([target({ active: [active("a"), active("b")] })]));
  inRow(1, "Cancel").click();
  expect(row(0).querySelector(".rw-confirm:not([hidden])")).toBe(null);
  expect(model.send).not.toHaveBeenCalled();
  inRow(1, "Yes, cancel").click();
  expect(model.send.mock.calls).toEqual([[{ kind: "cancel", run_id: "b" }]]);
  model.set("state", board([target({ active: [active("a"), active("b", { can_cancel: false })] })]));
  expect(inRow(1, "Cancel").hidden).toBe(true);
});

test("the details of a run are opened and closed by its button, and closed by the one below and by Escape", () => {
  const runs = [target({ active: [active("a")] })];
  const root = document.createElement("div");
  root.className = "rw-compute";
  document.body.append(root);
  const observers: ResizeObserverCallback[] = [];
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(callback: ResizeObserverCallback) {
        observers.push(callback);
      }
      observe() {}
      disconnect() {}
    },
  );
  const { model, inRow, find, all, host, shown } = open(board(runs));
  root.append(host);
  for (const callback of observers) callback([], {} as ResizeObserver);
  expect(shown(".rw-open-run")).toEqual([]);
  inRow(0, "Details").click();
  expect(model.send.mock.lastCall).toEqual([{ kind: "details", run_id: "a" }]);
  press(root, "Escape");
  expect(model.send).toHaveBeenCalledTimes(1);
  model.set("state", board(runs, { open_run: { run_id: "a", run_name: HOSTILE } }));
  expect(find(".rw-open-name").textContent).toBe(HOSTILE);
  expect(inRow(0, "Details").getAttribute("aria-expanded")).toBe("true");
  inRow(0, "Details").click();
  button(all("button"), "Close details").click();
  press(root, "Escape");
  expect(model.send.mock.calls.slice(1)).toEqual([
    [{ kind: "close" }],
    [{ kind: "close" }],
    [{ kind: "close" }],
  ]);
  expect(document.activeElement).toBe(inRow(0, "Details"));
  vi.unstubAllGlobals();
});

test("it says when its page is put aside and when it is seen again", () => {
  const { model } = open(board([target()]));
  const visibility = vi.spyOn(document, "visibilityState", "get");
  const turn = (state: "hidden" | "visible") => {
    visibility.mockReturnValue(state);
    document.dispatchEvent(new Event("visibilitychange"));
  };
  turn("hidden");
  turn("hidden");
  turn("visible");
  expect(model.send.mock.calls.map(([message]) => [message.kind, message.hidden])).toEqual([
    ["sight", true],
    ["sight", false],
  ]);
});

test("without a kernel the clocks stand still and nothing can be asked for", () => {
  const { host, texts, shown } = open(board([target({ active: [active("a")] })]));
  host.classList.add("jupyter-widgets-disconnected");
  vi.advanceTimersByTime(1000);
  const before = texts(".rw-job-span");
  vi.advanceTimersByTime(5000);
  expect(texts(".rw-job-span")).toEqual(before);
  expect(shown(".rw-gone-note").map((node) => node.textContent)).toEqual(["kernel gone"]);
  expect(shown("button").map((node) => node.textContent)).toEqual(["Copy"]);
});

test("names that look like markup are shown as text", () => {
  const words = { run_name: HOSTILE, experiment: HOSTILE, owner: HOSTILE, status: HOSTILE, run_id: HOSTILE };
  const { host } = open(
    board([
      target({
        name: HOSTILE,
        kind: HOSTILE,
        workspace: HOSTILE,
        active: [active("a", { ...words, cancel_trouble: HOSTILE })],
        queued: [queued("b", 1, { ...words })],
      }),
    ]),
  );
  expect(host.querySelectorAll("img, b:not([class])").length).toBe(0);
});

test("after clean-up no listener, timer or element is left", () => {
  const { host, model, end, inRow } = open(board([target({ active: [active("a")] })]));
  inRow(0, "Cancel").click();
  end();
  expect([vi.getTimerCount(), model.listenerCount, host.childNodes.length]).toEqual([0, 0, 0]);
});
