import { el, setText, show } from "./dom";

/**
 * What a page says that has nothing to show: one thing while the run goes on, another when it is over. The header writes
 * into the display's root which it is, and the stylesheet shows the one.
 */
export function emptyView(yet: string, over: string) {
  const either = [el("span", { class: "rw-yet" }, yet), el("span", { class: "rw-over" }, over)] as const;
  const node = el("p", { class: "rw-empty", role: "status" }, ...either);
  return {
    node,
    /** Says it, or something else, or nothing. */
    patch(isEmpty: boolean, otherwise = "") {
      show(node, isEmpty || otherwise !== "");
      if (!isEmpty) setText(node, otherwise);
      else if (node.firstChild !== either[0]) node.replaceChildren(...either);
    },
  };
}
