import type { AnyModel } from "@anywidget/types";
import { Asker } from "./asking";
import { el, setAttr, setText, show, svg } from "./dom";
import { downloadButton } from "./downloads";
import { exactText, formatMoment, formatNumber, formatValue, NONE } from "./format";
import { pagerView } from "./pager";
import { plainName, plainText } from "./plain";
import type { Scope } from "./scope";
import { noteView } from "./table";
import type { History, RowsReply, RowsRequest, Value } from "./wire";

const PAGE = 10;

/** A value as a cell shows it; what is no finite number is marked. */
function valueCell(value: Value, isText: boolean): HTMLElement {
  const isOdd = typeof value === "object" && value !== null && "float" in value;
  const text = typeof value === "string" ? plainText(value) : formatValue(value);
  const title = typeof value === "string" ? "" : exactText(value);
  return el("td", { class: isText ? "rw-text" : isOdd ? "rw-odd" : "", title }, isOdd ? `⚠ ${text}` : text);
}

/** How often it was what; and of booleans when, as a line that is up where they were True. */
function historyView() {
  const words = el("span", { class: "rw-history-words" });
  const chart = svg("svg", {
    class: "rw-history-chart",
    viewBox: "0 0 100 20",
    preserveAspectRatio: "none",
    role: "img",
  });
  const node = el("div", { class: "rw-history" }, words);
  return {
    node,
    patch(history: History | null) {
      show(node, history !== null);
      if (!history) return;
      const told = history.words.map(({ value, count }) =>
        el(
          "span",
          { class: "rw-word" },
          `${plainName(formatValue(value))} `,
          el("b", {}, `× ${formatNumber(count)}`),
        ),
      );
      const rest =
        history.others > 0
          ? [el("span", { class: "rw-muted" }, `others × ${formatNumber(history.others)}`)]
          : [];
      words.replaceChildren(...told, ...rest);
      const { truth } = history;
      if (truth.length < 2) return chart.remove();
      const width = 100 / truth.length;
      let path = "";
      truth.forEach((share, at) => {
        if (share === null) return;
        const y = 18 - share * 16;
        path += `${at > 0 && truth[at - 1] !== null ? "L" : "M"}${(at * width).toFixed(2)} ${y}H${((at + 1) * width).toFixed(2)}`;
      });
      chart.replaceChildren(svg("path", { d: path, "vector-effect": "non-scaling-stroke" }));
      setAttr(chart, "aria-label", "True above, False below, from the first value to the last");
      node.append(chart);
    },
  };
}

/** Rows of one metric as they were logged, a page at a time. Python is asked for each page; nothing else is kept. */
// biome-ignore lint/suspicious/noExplicitAny: a model of any traits; AnyModel is invariant in them.
export function rowsView(scope: Scope, model: AnyModel<any>) {
  const { signal } = scope;
  const asker = new Asker(scope, model);
  let name: string | null = null;
  let start: number | null = null; // null for the last page, whichever that is
  let total = 0;
  let at = 0;
  let shown = "";
  let forget = () => {};
  const title = el("bdi", { class: "rw-rows-title" });
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
  const history = historyView();
  const download = downloadButton(
    asker,
    signal,
    () =>
      name === null
        ? null
        : { what: "metric", name, saveAs: `${name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.csv` },
    trouble.patch,
    "CSV",
  );
  const ask = (from: number | null) => {
    start = from;
    forget();
    if (name === null) return;
    forget = asker.ask<RowsReply>(
      { kind: "rows", name, start } satisfies RowsRequest,
      receive,
      trouble.patch,
    );
  };
  // Who goes to the last page stays at the end, whatever comes.
  const goTo = (row: number) =>
    ask(row >= total - PAGE && row % PAGE === 0 ? null : Math.max(0, Math.min(total - 1, row)));
  const pager = pagerView("rows", signal, (by) => goTo(at + by * PAGE));
  const jump = el("input", {
    class: "rw-jump-to",
    type: "number",
    min: 0,
    "aria-label": "Go to row",
    placeholder: "row",
  });
  const leap = () => {
    const row = Math.floor(Number(jump.value));
    if (jump.value !== "" && Number.isFinite(row)) goTo(row);
    jump.value = "";
  };
  jump.addEventListener("change", leap, { signal });
  jump.addEventListener("keydown", (event) => event.key === "Enter" && leap(), { signal });
  const node = el("section", { class: "rw-rows", "aria-label": "Rows of a metric" });
  const bar = el("div", { class: "rw-rows-bar" }, title, jump, pager.node, download.node, close);
  const parts = [bar, history.node, box, trouble.node];
  const open = (wanted: string | null) => {
    name = wanted;
    shown = "";
    download.stop();
    node.replaceChildren(...(name === null ? [] : parts));
    show(node, name !== null);
    setText(title, plainName(name ?? ""));
    setAttr(title, "title", name && plainName(name));
    head.replaceChildren();
    body.replaceChildren();
    pager.patch("", false, false);
    trouble.patch("");
    history.patch(null);
    ask(null);
  };
  close.addEventListener("click", () => open(null), { signal });

  function receive({ id: _, ...message }: RowsReply): void {
    const text = JSON.stringify(message);
    trouble.patch(message.trouble ?? "");
    // What did not change stays, and with it a selection in it.
    if (message.trouble !== null || text === shown) return;
    shown = text;
    total = message.total;
    at = message.start;
    const { columns, rows, steps, times } = message;
    // A column stands left as its words do, right as its numbers.
    const isText = columns.map((_, at) => rows.some((row) => typeof row[at] === "string"));
    const hasSteps = steps.some((step) => step !== null);
    const heading = (text: string, style: string) =>
      el("th", { scope: "col", class: style }, plainName(text));
    head.replaceChildren(
      heading("#", ""),
      ...(hasSteps ? [heading("step", "")] : []),
      ...columns.map((name, at) => heading(name, isText[at] ? "rw-text" : "")),
      heading("time", ""),
    );
    body.replaceChildren(
      ...rows.map((row, index) => {
        const number = el("td", { class: "rw-muted" }, formatNumber(message.start + index));
        const step = steps[index] ?? null;
        const stepCell = el(
          "td",
          { class: "rw-muted", title: exactText(step) },
          step === null ? NONE : formatValue(step),
        );
        const moment = formatMoment(times[index] ?? 0);
        const time = el("td", { class: "rw-muted", title: moment }, moment.slice(11));
        return el(
          "tr",
          {},
          number,
          ...(hasSteps ? [stepCell] : []),
          ...row.map((value, at) => valueCell(value, Boolean(isText[at]))),
          time,
        );
      }),
    );
    const last = message.start + rows.length;
    const range = `rows ${formatNumber(message.start)}–${formatNumber(last - 1)} of ${formatNumber(total)}`;
    pager.patch(rows.length > 0 ? range : "no rows", message.start > 0, last < total);
    show(jump, total > PAGE);
    setAttr(jump, "max", Math.max(0, total - 1));
    history.patch(message.history);
  }
  show(node, false);
  return {
    node,
    /** Shows the last rows of a metric, or hides them if it is shown. */
    toggle: (metric: string) => open(metric === name ? null : metric),
    /** Asks for the page anew, as there may be more rows. */
    refresh: () => name !== null && ask(start),
  };
}
