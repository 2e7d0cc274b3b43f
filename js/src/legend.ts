import { el, setAttr, setText, show, svg } from "./dom";
import { type ItemView, KeyedList } from "./keyed";
import { dashOf, markerOf, type Series } from "./marks";
import type { Scope } from "./scope";

export interface Entry {
  series: Series;
  sign: number;
  isShown: boolean;
}

export interface LegendActions {
  /** Hides or shows a series; or, `alone`, hides all others, and shows them again where it is alone already. */
  toggle(id: string, alone: boolean): void;
  /** The pointer or the focus is on an entry, or on none. */
  point(id: string | null): void;
}

/** A sample of how a series is drawn: its dashes, marker or area. */
export function swatchView(): { node: SVGElement; patch(series: Series, sign: number): void } {
  const path = svg("path");
  const node = svg("svg", { class: "rw-plot-swatch", viewBox: "0 0 20 10", "aria-hidden": "true" }, path);
  return {
    node,
    patch({ kind, color }, sign) {
      const area = kind === "band" || kind === "bars";
      const d = area ? "M2,0H18V10H2Z" : kind === "points" ? `M10,5${markerOf(sign, 4)}` : "M1,5H19";
      setAttr(path, "d", d);
      setAttr(path, "class", `rw-plot-${kind}`);
      setAttr(path, "stroke-dasharray", area || kind === "points" ? null : dashOf(sign) || null);
      node.style.setProperty("--rw-plot-color", color);
    },
  };
}

function entryView({ toggle, point }: LegendActions, { signal }: Scope): ItemView<Entry> {
  const swatch = swatchView();
  const label = el("span", { class: "rw-plot-name" });
  const detail = el("span", { class: "rw-plot-detail" });
  const node = el("button", { class: "rw-plot-entry", type: "button" }, swatch.node, label, detail);
  let id = "";
  // Enter and Space click as well, with the Shift key told of.
  node.addEventListener("click", (event) => toggle(id, event.shiftKey), { signal });
  for (const type of ["pointerenter", "focus"]) node.addEventListener(type, () => point(id), { signal });
  for (const type of ["pointerleave", "blur"]) node.addEventListener(type, () => point(null), { signal });
  return {
    node,
    patch({ series, sign, isShown }) {
      id = series.id;
      setText(label, series.label);
      setText(detail, series.detail ?? "");
      show(detail, series.detail !== undefined);
      setAttr(node, "title", `${series.label}\nclick: hide or show; Shift+click: alone, or all`);
      setAttr(node, "aria-pressed", String(isShown));
      swatch.patch(series, sign);
    },
  };
}

/** The names of what is drawn, with switches; nothing where only one thing is. */
export function legendView(scope: Scope, actions: LegendActions) {
  const node = el("div", { class: "rw-plot-legend", role: "group", "aria-label": "Lines shown" });
  const list = new KeyedList<Entry>(
    node,
    ({ series }) => series.id,
    () => entryView(actions, scope),
  );
  return {
    node,
    patch(entries: readonly Entry[]) {
      const listed = entries.filter(({ series }) => !series.unlisted);
      list.update(listed);
      show(node, listed.length > 1);
    },
  };
}
