import type { AnyModel, AnyWidget, InitializeProps, RenderProps } from "@anywidget/types";

/**
 * The module of each panel: it takes the panel from the bundle that `Scripts` brings, as soon as that is there.
 *
 * anywidget gives a module two seconds to load and to initialize, and drops every message for it if that is not enough: a
 * page that is opened anew on a slow machine takes longer to get the bundle. So nothing here waits before it returns, and
 * what Python says meanwhile is kept for the panel.
 */
const PLACE = Symbol.for("runwidgets");
/** Python writes both. */
const BUILD = "__RUNWIDGETS_BUILD__";
const NAME = "__RUNWIDGETS_PART__";

type Widget = Exclude<AnyWidget, () => unknown>;
// biome-ignore lint/suspicious/noExplicitAny: as AnyWidget has it.
type Model = AnyModel<any>;
type Heard = Parameters<Parameters<Model["on"]>[1]>;

const find = (): AnyWidget | undefined =>
  (globalThis as { [PLACE]?: Map<string, Record<string, AnyWidget>> })[PLACE]?.get(BUILD)?.[NAME];

const make = (panel: AnyWidget): Widget => (typeof panel === "function" ? panel() : panel) as Widget;

/** Keeps the messages that come to a model, and gives what passes them on to the listeners of a model like it. */
function keep(model: Model): (begin: (like: Model) => void) => void {
  const early: Heard[] = [];
  const hear = (...message: Heard) => early.push(message);
  model.on("msg:custom", hear);
  return (begin) => {
    model.off("msg:custom", hear);
    const listeners: ((...message: Heard) => void)[] = [];
    const on = (name: string, listener: (...message: Heard) => void) => {
      model.on(name, listener);
      if (name === "msg:custom") listeners.push(listener);
    };
    begin({ ...model, on } as Model);
    for (const message of early) for (const listener of listeners) listener(...message);
  };
}

export default (): Widget => {
  const there = find();
  if (there) return make(there);
  let started: Promise<Widget> | undefined;
  return {
    initialize(props: InitializeProps): () => void {
      const pass = keep(props.model);
      const life = new AbortController();
      let end: unknown;
      started = new Promise((resolve) => {
        const start = () => {
          const widget = make(find() as AnyWidget);
          pass((model) => {
            end = widget.initialize?.({ ...props, model });
          });
          resolve(widget);
        };
        if (find()) start();
        else addEventListener(`runwidgets:${BUILD}`, start, { once: true, signal: life.signal });
      });
      return () => {
        life.abort();
        pass(() => {});
        if (typeof end === "function") end();
      };
    },
    async render(props: RenderProps) {
      const widget = await started;
      return props.signal?.aborted ? undefined : widget?.render?.(props);
    },
  };
};
