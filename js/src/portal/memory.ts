/** What a person has set in the panels of a page, so that it can be set again in panels that take their place. */

import type { WidgetModel } from "@jupyter-widgets/base";

/** Values by panel: its class and which of that class it is, in order of appearance. */
export type Memory = Map<string, Record<string, unknown>>;

function panels(root: WidgetModel): [string, WidgetModel][] {
  const counts = new Map<string, number>();
  const found: [string, WidgetModel][] = [];
  const visit = (model: WidgetModel) => {
    const kind = model.get("_anywidget_id");
    if (typeof kind === "string") {
      const count = counts.get(kind) ?? 0;
      counts.set(kind, count + 1);
      found.push([`${kind} ${count}`, model]);
    }
    for (const child of (model.get("children") ?? []) as WidgetModel[]) visit(child);
  };
  visit(root);
  return found;
}

const ownTraits = (model: WidgetModel): string[] => (model.get("browser_traits") ?? []) as string[];

export function remember(root: WidgetModel): Memory {
  return new Map(
    panels(root).map(([key, model]) => [
      key,
      Object.fromEntries(ownTraits(model).map((trait) => [trait, model.get(trait)])),
    ]),
  );
}

export function recall(root: WidgetModel, memory: Memory): void {
  for (const [key, model] of panels(root)) {
    const values = memory.get(key) ?? {};
    const known = Object.entries(values).filter(([trait]) => ownTraits(model).includes(trait));
    if (known.length === 0) continue;
    model.set(Object.fromEntries(known));
    model.save_changes();
  }
}
