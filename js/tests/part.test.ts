import type { AnyModel, AnyWidget, InitializeProps, RenderProps } from "@anywidget/types";
import { afterEach, expect, test, vi } from "vitest";
import part from "../src/part";
import { MockModel } from "./model";

const PLACE = Symbol.for("runwidgets");
const page = globalThis as { [PLACE]?: Map<string, Record<string, unknown>> };

afterEach(() => {
  delete page[PLACE];
});

/** The bundle comes into the page, with one panel. */
function bring(panel: unknown): void {
  page[PLACE] = new Map([["__RUNWIDGETS_BUILD__", { __RUNWIDGETS_PART__: panel }]]);
  dispatchEvent(new Event("runwidgets:__RUNWIDGETS_BUILD__"));
}

function begin() {
  const model = new MockModel({ state: 1 });
  const props = { model: model as unknown as AnyModel, signal: new AbortController().signal };
  const widget = part() as Exclude<AnyWidget, () => unknown>;
  const end = () => widget.initialize?.(props as InitializeProps) as () => void;
  const render = () => widget.render?.({ ...props, el: document.body } as unknown as RenderProps);
  return { model, widget, initialize: end, render };
}

/** A panel that hears what Python says, and tells what it did. */
function hearing(done: string[]) {
  return () => ({
    initialize: ({ model }: InitializeProps) => {
      const hear = (message: { n: number }) => done.push(`heard ${message.n}`);
      model.on("msg:custom", hear);
      done.push(`state ${model.get("state")}`);
      return () => {
        model.off("msg:custom", hear);
        done.push("ended");
      };
    },
    render: () => {
      done.push("rendered");
      return () => done.push("left");
    },
  });
}

test("a panel whose bundle is there is the panel itself", () => {
  const panel = { render: vi.fn() };
  bring(panel);
  expect(part()).toBe(panel);
});

test("a panel whose bundle comes later is there at once, and loses nothing that is said meanwhile", async () => {
  const done: string[] = [];
  const { model, initialize, render } = begin();
  const end = initialize();
  const rendered = render();
  model.receive({ n: 1 });
  model.set("state", 2);
  model.receive({ n: 2 });
  expect(done).toEqual([]);
  bring(hearing(done));
  const leave = (await rendered) as () => void;
  model.receive({ n: 3 });
  expect(done).toEqual(["state 2", "heard 1", "heard 2", "rendered", "heard 3"]);
  leave();
  end();
  model.receive({ n: 4 });
  expect(done.slice(5)).toEqual(["left", "ended"]);
  expect(model.listenerCount).toBe(0);
});

test("the bundle may come between the module and the model", async () => {
  const done: string[] = [];
  const { initialize, render } = begin();
  bring(hearing(done));
  initialize();
  await render();
  expect(done).toEqual(["state 1", "rendered"]);
});

test("a model that has gone before the bundle is not begun, and hears nothing", () => {
  const done: string[] = [];
  const { model, initialize } = begin();
  initialize()();
  bring(hearing(done));
  model.receive({ n: 1 });
  expect(done).toEqual([]);
  expect(model.listenerCount).toBe(0);
});
