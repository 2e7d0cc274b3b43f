import type { RenderProps } from "@anywidget/types";
import { el, hasFocus, setAttr } from "./dom";
import { formatValue } from "./format";
import type { HeadingState, ResetMessage } from "./wire";

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
  const reset = el("button", { class: "rw-button rw-reset", type: "button" }, "reset zoom");
  const root = el("div", { class: "rw-panel rw-heading", "data-lm-suppress-shortcuts": "true" });
  reset.addEventListener("click", () => model.send({ kind: "reset" } satisfies ResetMessage));
  const update = () => {
    const state = model.get("state");
    const old = [...root.children].filter((part) => part !== reset);
    const next = parts(state);
    next.forEach((part, index) => {
      const before = old[index];
      // What did not change stays, and with it a selection in it.
      if (!before) root.insertBefore(part, reset.parentNode === root ? reset : null);
      else if (!before.isEqualNode(part)) before.replaceWith(part);
    });
    for (const part of old.slice(next.length)) part.remove();
    setAttr(reset, "aria-label", `Reset zoom of ${state.title}`);
    if (state.is_zoomed === (reset.parentNode === root)) return;
    const hadFocus = hasFocus(reset);
    if (state.is_zoomed) root.append(reset);
    else reset.remove();
    if (hadFocus) root.closest(".rw-chart")?.querySelector<HTMLElement>(".bqplot")?.focus();
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
