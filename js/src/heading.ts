import type { RenderProps } from "@anywidget/types";
import { el } from "./dom";
import { formatValue } from "./format";
import type { HeadingState } from "./wire";

interface Traits {
  state: HeadingState;
}

function parts({ title, subtitle, last, last_digits, legend, notes }: HeadingState): HTMLElement[] {
  const found = [el("b", { class: "rw-chart-title", title }, title)];
  if (subtitle) found.push(el("span", { class: "rw-chart-subtitle", title: subtitle }, subtitle));
  if (last !== null) {
    found.push(el("span", { class: "rw-chart-last" }, formatValue(last, last_digits)));
  }
  for (const { label, color } of legend) {
    const swatch = el("i", { class: "rw-swatch", "aria-hidden": "true" });
    // backgroundColor, not background: a colour from the wire must not be able to name a URL.
    swatch.style.backgroundColor = color;
    found.push(el("span", { class: "rw-legend", title: label }, swatch, label));
  }
  for (const note of notes) {
    // What explains a mark is short, and its sign says nothing without its word.
    const kind = note.startsWith("⚠") ? "rw-note" : "rw-note rw-mark";
    found.push(el("span", { class: kind, title: note }, note));
  }
  return found;
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const root = el("div", { class: "rw-panel rw-heading" });
  const update = () => {
    const next = parts(model.get("state"));
    next.forEach((part, index) => {
      const old = root.children[index];
      // What did not change stays, and with it a selection in it.
      if (!old) root.append(part);
      else if (!old.isEqualNode(part)) old.replaceWith(part);
    });
    while (root.children.length > next.length) root.lastChild?.remove();
  };
  model.on("change:state", update);
  update();
  host.append(root);
  return () => {
    model.off("change:state", update);
    root.remove();
  };
}

export default { render };
