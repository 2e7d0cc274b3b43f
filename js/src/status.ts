import { el, setAttr, setText } from "./dom";
import type { StatusGroup } from "./wire";

/** A dot and the status word: the colour alone says nothing to some readers. */
export function statusView(): { node: HTMLElement; patch(status: string, group: StatusGroup): void } {
  const dot = el("span", { "aria-hidden": "true" });
  const word = el("span", { class: "rw-status-word" });
  const node = el("span", { class: "rw-status" }, dot, word);
  return {
    node,
    patch(status, group) {
      setAttr(dot, "class", `rw-dot rw-dot-${group}`);
      setText(word, status);
    },
  };
}
