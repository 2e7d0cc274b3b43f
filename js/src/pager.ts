import { el, setAttr, setText } from "./dom";

/** Buttons to the page before and after, and a text that says which page this is. */
export function pagerView(what: string, signal: AbortSignal, turn: (by: 1 | -1) => void) {
  const range = el("span", { class: "rw-pager-range", role: "status" });
  const button = (sign: string, label: string, by: 1 | -1) => {
    const made = el(
      "button",
      { class: "rw-button", type: "button", "aria-label": label, title: label },
      sign,
    );
    // aria-disabled keeps the focus at the last page, where `disabled` would throw it away.
    made.addEventListener("click", () => made.getAttribute("aria-disabled") !== "true" && turn(by), {
      signal,
    });
    return made;
  };
  const back = button("‹", `Previous ${what}`, -1);
  const on = button("›", `Next ${what}`, 1);
  return {
    node: el("div", { class: "rw-pager" }, range, back, on),
    patch(text: string, hasBack: boolean, hasNext: boolean) {
      setText(range, text);
      setAttr(back, "aria-disabled", String(!hasBack));
      setAttr(on, "aria-disabled", String(!hasNext));
    },
  };
}
