import type { AnyModel, RenderProps } from "@anywidget/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import wire from "../../tests/golden/wire.json";
import differencesPanel from "../src/differences";
import sidesPanel, { Album } from "../src/sides";
import type { DifferencesState, Side, SidesState } from "../src/wire";
import { HOSTILE, MockModel, mount, type } from "./model";

const SIDES = wire.sides as unknown as SidesState;
const DIFFERENCES = wire.differences as unknown as DifferencesState;
const [FIRST] = SIDES.sides as [Side];

const bytes = (...values: number[]): DataView => new DataView(Uint8Array.from(values).buffer);

let revoked: string[];

beforeEach(() => {
  let made = 0;
  revoked = [];
  vi.useFakeTimers();
  vi.spyOn(URL, "createObjectURL").mockImplementation(() => `blob:${++made}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void revoked.push(url));
});
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

function open(change: Partial<SidesState> = {}) {
  const model = new MockModel({ state: { ...SIDES, ...change }, controls: { name: null, number: null } });
  const panel = sidesPanel();
  const props = { model: model as unknown as AnyModel, el: document.createElement("div") };
  document.body.append(props.el);
  const quit = panel.initialize(props as never);
  const end = panel.render(props as unknown as RenderProps<never>);
  const find = <E extends Element = HTMLElement>(selector: string): E => {
    const found = props.el.querySelector<E>(selector);
    if (!found) throw new Error(`nothing matches ${selector}`);
    return found;
  };
  return { model, host: props.el, quit, end, find };
}

test("an image is asked for once, and shown when it comes", () => {
  const { model, find } = open();
  expect(model.send.mock.calls).toEqual([[{ kind: "want", key: FIRST.key }]]);
  expect(find(".rw-image-note").textContent).toBe("Loading…");
  model.set("state", { ...SIDES, notes: [] });
  expect(model.send).toHaveBeenCalledTimes(1);
  model.receive({ kind: "picture", key: FIRST.key, mime: "image/png" }, [bytes(1)]);
  expect(find<HTMLImageElement>(".rw-image").getAttribute("src")).toBe("blob:1");
  expect(find(".rw-image-note").hidden).toBe(true);
});

test("one that was shown before is there at once, without Python", () => {
  const { model, find } = open();
  model.receive({ kind: "picture", key: FIRST.key, mime: "image/png" }, [bytes(1)]);
  model.set("state", { ...SIDES, sides: [{ ...FIRST, key: "other", number: 2 }] });
  expect(find(".rw-image-frame").classList.contains("rw-stale")).toBe(true);
  model.receive({ kind: "picture", key: "other", mime: "image/png" }, [bytes(2)]);
  expect(find(".rw-image").getAttribute("src")).toBe("blob:2");
  model.send.mockClear();
  model.set("state", SIDES);
  expect(find(".rw-image").getAttribute("src")).toBe("blob:1");
  expect(model.send).not.toHaveBeenCalled();
});

test("what is refused has a note in its place, and other types are not shown", () => {
  const { host, model } = open();
  expect(host.querySelectorAll(".rw-image-note")[1]?.textContent).toBe("the file is not there");
  model.receive({ kind: "picture", key: FIRST.key, mime: "image/svg+xml" }, [bytes(1)]);
  expect(URL.createObjectURL).not.toHaveBeenCalled();
});

test("one slider moves all, and at its right end it stays with the newest", () => {
  const { model, find } = open();
  const slider = find<HTMLInputElement>("input[type=range]");
  type(slider, "2");
  expect(find(".rw-slider-value").textContent).toBe("2 of 3");
  vi.advanceTimersByTime(100);
  expect(model.get("controls").number).toBe(2);
  type(slider, "3");
  vi.advanceTimersByTime(100);
  expect(model.get("controls").number).toBeNull();
});

test("a run that has fewer images says that it shows its last", () => {
  const { host } = open();
  expect([...host.querySelectorAll(".rw-image-facts")].map((node) => node.textContent)).toEqual([
    "#3",
    "its last, #1",
  ]);
});

test("a wait for Python is told of", () => {
  const { model, find } = open();
  type(find("input[type=range]"), "1");
  vi.advanceTimersByTime(500);
  expect(find(".rw-toolbar [role=status]").textContent).toBe("waiting for Python…");
  model.set("state", { ...SIDES, number: 1 });
  expect(find(".rw-toolbar [role=status]").textContent).toBe("");
});

test("runs without images show nothing at all", () => {
  expect(open({ names: [], name: null, sides: [] }).find(".rw-sides").hidden).toBe(true);
});

test("names that look like markup are shown as text", () => {
  const { host, find } = open({ sides: [{ ...FIRST, label: HOSTILE, note: HOSTILE }], name: HOSTILE });
  expect(find(".rw-image-name").textContent).toBe(HOSTILE);
  expect(host.querySelectorAll("[onerror], b")).toHaveLength(0);
});

test("an album that is full lets go of what is not in use", () => {
  const album = new Album();
  const big = new DataView(new ArrayBuffer(20 * 2 ** 20));
  for (const key of ["a", "b", "c"])
    album.put({ kind: "picture", key, mime: "image/png" }, big, new Set(["a"]));
  expect(revoked).toEqual(["blob:2"]);
  album.clear();
  expect(revoked).toEqual(["blob:2", "blob:1", "blob:3"]);
});

test("after clean-up every URL is revoked and no listener or element is left", () => {
  const { model, host, end, quit } = open();
  model.receive({ kind: "picture", key: FIRST.key, mime: "image/png" }, [bytes(1)]);
  end();
  quit();
  expect(revoked).toEqual(["blob:1"]);
  expect([model.listenerCount, host.childNodes.length]).toEqual([0, 0]);
});

// ---- differences

test("only what differs is listed, until all is asked for", () => {
  const { texts, find } = mount(differencesPanel, { state: DIFFERENCES });
  const names = "tbody th span:last-child";
  expect(texts(names)).toEqual(["--seed", "alpha"]);
  find<HTMLInputElement>("input[type=checkbox]").click();
  expect(texts(names)).toEqual(["--seed", "model", "alpha"]);
});

test("values that are not those of the first run are marked", () => {
  const { texts } = mount(differencesPanel, { state: DIFFERENCES });
  expect(texts(".rw-differs")).toEqual(["—", "NaN"]);
});

test("names of runs and parameters that look like markup are shown as text", () => {
  const state = {
    ...DIFFERENCES,
    runs: [
      { id: "a", name: HOSTILE },
      { id: "b", name: "b" },
    ],
    rows: [{ kind: "tag", name: HOSTILE, values: [HOSTILE, null], differs: true }],
  };
  const { host } = mount(differencesPanel, { state });
  expect(host.querySelectorAll("[onerror], b")).toHaveLength(0);
  expect(host.textContent).toContain(HOSTILE);
});

test("of one run, and of runs that are alike, it says so", () => {
  const alone = { ...DIFFERENCES, runs: DIFFERENCES.runs.slice(0, 1) };
  const { find, model } = mount(differencesPanel, { state: alone });
  expect(find(".rw-empty").textContent).toBe("Select a second run to see in what they differ.");
  model.set("state", { ...DIFFERENCES, rows: [], differing: 0 });
  expect(find(".rw-empty").textContent).toBe("These runs were made alike.");
});

test("what is not listed is counted", () => {
  const state = { ...DIFFERENCES, differing: 700, total: 900, run_total: 30 };
  const { find } = mount(differencesPanel, { state });
  expect(find(".rw-more").textContent).toBe("showing 2 of 700, first 2 of 30 runs");
});
