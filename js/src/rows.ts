import type { AnyModel } from "@anywidget/types";
import { el, setAttr, setText, show } from "./dom";
import { exactText, formatNumber, formatValue } from "./format";
import { pagerView } from "./pager";
import type { Scope } from "./scope";
import { noteView } from "./table";
import type { RowsMessage, RowsRequest } from "./wire";

const PAGE = 10;

/** Rows of one metric as they were logged, a page at a time. Python is asked for each page; nothing else is kept. */
// biome-ignore lint/suspicious/noExplicitAny: a model of any traits; AnyModel is invariant in them.
export function rowsView(scope: Scope, model: AnyModel<any>) {
  let name: string | null = null;
  let start = 0;
  let shown = "";
  const title = el("span", { class: "rw-rows-title" });
  const close = el(
    "button",
    { class: "rw-button", type: "button", title: "Close", "aria-label": "Close rows" },
    "×",
  );
  const head = el("tr");
  const body = el("tbody");
  const box = el(
    "div",
    { class: "rw-table-box", tabindex: 0, role: "region", "aria-label": "Rows" },
    el("table", { class: "rw-table" }, el("thead", {}, head), body),
  );
  const trouble = noteView("rw-more");
  const ask = (from: number) => {
    start = from;
    if (name !== null) model.send({ kind: "rows", name, start } satisfies RowsRequest);
  };
  const pager = pagerView("rows", scope.signal, (by) => ask(Math.max(0, start + by * PAGE)));
  const node = el("section", { class: "rw-rows" });
  const parts = [el("div", { class: "rw-rows-bar" }, title, pager.node, close), box, trouble.node];
  const open = (wanted: string | null) => {
    name = wanted;
    shown = "";
    node.replaceChildren(...(name === null ? [] : parts));
    show(node, name !== null);
    setText(title, name ?? "");
    setAttr(title, "title", name);
    head.replaceChildren();
    body.replaceChildren();
    pager.patch("", false, false);
    trouble.patch("");
    ask(0);
  };
  close.addEventListener("click", () => open(null), { signal: scope.signal });

  const receive = (message: RowsMessage) => {
    // Another view of the same run may have asked for this one.
    if (message?.kind !== "rows" || message.name !== name || message.start !== start) return;
    const text = JSON.stringify(message);
    if (text === shown) return; // what did not change stays, and with it a selection in it
    shown = text;
    // A column stands left as its words do, right as its numbers.
    const isText = message.columns.map((_, at) => message.rows.some((row) => typeof row[at] === "string"));
    const styleOf = (at: number) => (isText[at] ? "rw-text" : "");
    const heading = (text: string, style: string) => el("th", { scope: "col", class: style }, text);
    head.replaceChildren(heading("#", ""), ...message.columns.map((name, at) => heading(name, styleOf(at))));
    body.replaceChildren(
      ...message.rows.map((row, index) => {
        const number = el("td", { class: "rw-muted" }, formatNumber(message.start + index));
        const cells = row.map((value, at) => {
          const title = typeof value === "string" ? "" : exactText(value);
          return el("td", { class: styleOf(at), title }, formatValue(value));
        });
        return el("tr", {}, number, ...cells);
      }),
    );
    const last = message.start + message.rows.length;
    const range = `rows ${formatNumber(message.start)}–${formatNumber(last - 1)} of ${formatNumber(message.total)}`;
    pager.patch(message.rows.length > 0 ? range : "no rows", message.start > 0, last < message.total);
    trouble.patch(message.trouble ?? "");
  };
  model.on("msg:custom", receive);
  scope.onEnd(() => model.off("msg:custom", receive));
  show(node, false);
  return {
    node,
    /** Shows the first rows of a metric, or hides them if it is shown. */
    toggle: (metric: string) => open(metric === name ? null : metric),
    /** Asks for the page anew, as there may be more rows. */
    refresh: () => ask(start),
  };
}
