import { el, setAttr, setText, show } from "./dom";
import { formatNumber } from "./format";

const SHOWN = 100;
let pickers = 0;

/** A box to choose one of many names in: what is typed narrows them, arrows and Enter choose. */
export function pickerView(label: string, signal: AbortSignal, choose: (name: string) => void) {
  pickers += 1;
  const id = `rw-picker-${pickers}`;
  const input = el("input", {
    class: "rw-picker-input",
    type: "text",
    role: "combobox",
    "aria-label": label,
    "aria-autocomplete": "list",
    "aria-controls": id,
    "aria-expanded": "false",
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = el("ul", { class: "rw-picker-list", role: "listbox", id, "aria-label": label, hidden: "" });
  const node = el(
    "span",
    { class: "rw-field rw-picker" },
    el("span", { "aria-hidden": "true" }, label),
    el("span", { class: "rw-picker-box" }, input, list),
  );
  let names: readonly string[] = [];
  let value: string | null = null;
  let found: string[] = [];
  let at = -1;
  let typed = false;

  const isOpen = () => !list.hidden;
  const mark = () => {
    [...list.children].forEach((option, i) => {
      setAttr(option, "aria-selected", String(i === at));
      if (i === at) option.scrollIntoView?.({ block: "nearest" });
    });
    setAttr(input, "aria-activedescendant", at >= 0 ? `${id}-${at}` : null);
  };
  const open = () => {
    const wanted = typed ? input.value.trim().toLowerCase() : "";
    const all = names.filter((name) => name.toLowerCase().includes(wanted));
    found = all.slice(0, SHOWN);
    at = typed ? Math.min(0, found.length - 1) : found.indexOf(value ?? "");
    const more = all.length - found.length;
    list.replaceChildren(
      ...found.map((name, i) => {
        const option = el(
          "li",
          { class: "rw-picker-option", role: "option", id: `${id}-${i}`, title: name },
          name,
        );
        option.classList.toggle("rw-picker-now", name === value);
        return option;
      }),
    );
    const rest =
      more > 0 ? `and ${formatNumber(more)} more: type to narrow` : found.length === 0 ? "none matches" : "";
    if (rest) list.append(el("li", { class: "rw-picker-rest", role: "presentation" }, rest));
    show(list, true);
    setAttr(input, "aria-expanded", "true");
    mark();
  };
  const close = () => {
    typed = false;
    show(list, false);
    setAttr(input, "aria-expanded", "false");
    setAttr(input, "aria-activedescendant", null);
    input.value = value ?? "";
  };
  const take = (name: string | undefined) => {
    if (name !== undefined && name !== value) {
      value = name;
      choose(name);
    }
    close();
  };

  input.addEventListener("focus", () => input.select(), { signal });
  input.addEventListener("click", () => isOpen() || open(), { signal });
  input.addEventListener("blur", close, { signal });
  input.addEventListener(
    "input",
    () => {
      typed = true;
      open();
    },
    { signal },
  );
  input.addEventListener(
    "keydown",
    (event) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by !== undefined) {
        if (!isOpen()) open();
        else if (found.length > 0) at = (at + by + found.length) % found.length;
        mark();
      } else if (event.key === "Enter" && isOpen()) take(found[at]);
      else if (event.key === "Escape" && isOpen()) close();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );
  // Before the box loses the focus, and with it the list.
  list.addEventListener("pointerdown", (event) => event.preventDefault(), { signal });
  list.addEventListener(
    "click",
    (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option) take(found[[...list.children].indexOf(option)]);
    },
    { signal },
  );
  const shownLabel = node.firstElementChild as HTMLElement;
  setText(shownLabel, label);
  return {
    node,
    patch(next: readonly string[], now: string | null) {
      names = next;
      value = now;
      if (!isOpen()) input.value = now ?? "";
      setAttr(input, "title", now);
      setAttr(input, "aria-disabled", String(next.length === 0));
    },
  };
}
