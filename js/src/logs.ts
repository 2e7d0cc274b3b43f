import type { RenderProps } from "@anywidget/types";
import { bytesOf } from "./asking";
import { copyButton } from "./copy";
import { el, setAttr, setText, show } from "./dom";
import { save } from "./downloads";
import { emptyView } from "./empty";
import { Finder } from "./finder";
import { formatBytes, formatNumber } from "./format";
import { LogBox } from "./logbox";
import { LogWindow } from "./logwindow";
import { Scope } from "./scope";
import { noteView } from "./table";
import type { LogDownloadRequest, LogMessage, LogRequest, LogsControls, LogsState } from "./wire";

interface Traits {
  state: LogsState;
  controls: LogsControls;
}

/** After this long without an answer, it may be asked for again. */
const PATIENCE_MS = 15_000;
const SEARCH_WAIT_MS = 150;

function searchView(scope: Scope, finder: Finder, search: () => void, reveal: () => void) {
  const { signal } = scope;
  const input = el("input", {
    class: "rw-search",
    type: "search",
    placeholder: "Search",
    "aria-label": "Search in what is loaded of the log",
    autocomplete: "off",
    spellcheck: "false",
  });
  const count = el("span", { class: "rw-search-count", role: "status" });
  const button = (label: string, sign: string, by: 1 | -1) => {
    const node = el(
      "button",
      { class: "rw-icon-button", type: "button", "aria-label": label, title: label },
      sign,
    );
    node.addEventListener("click", () => go(by), { signal });
    return node;
  };
  const wait = scope.delay(SEARCH_WAIT_MS, search);
  const go = (by: 1 | -1) => {
    if (wait.waiting) {
      wait.stop();
      search();
      return;
    }
    finder.step(by);
    reveal();
  };
  const steps = el(
    "span",
    { class: "rw-search-steps" },
    button("Previous match", "↑", -1),
    button("Next match", "↓", 1),
  );
  input.addEventListener("input", () => wait.restart(), { signal });
  input.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape" && input.value !== "") {
        input.value = "";
        wait.stop();
        search();
      } else return;
      event.preventDefault();
    },
    { signal },
  );
  return {
    node: el("span", { class: "rw-search-field" }, input, count, steps),
    words: () => input.value,
    patch(isPartial: boolean) {
      const { hits, at } = finder;
      const of = `${formatNumber(at + 1)} of ${formatNumber(hits.length)}`;
      const found = hits.length === 0 ? "none" : of;
      setText(count, input.value === "" ? "" : isPartial ? `${found} in the loaded part` : found);
      show(steps, hits.length > 0);
    },
  };
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const { signal } = scope;
  const finder = new Finder();
  let shown = new LogWindow();
  let name: string | null = null;
  let isDownloading = false;
  let isGone = false;

  const set = (change: Partial<LogsControls>) => {
    model.set("controls", { ...model.get("controls"), ...change });
    model.save_changes();
  };
  const asking = scope.delay(PATIENCE_MS, () => update());
  const ask = (before: number | null) => {
    if (name === null || asking.waiting) return;
    asking.start();
    model.send({ kind: "log", name, before } satisfies LogRequest);
  };

  const box = new LogBox(scope, finder, () => update());
  const choose = el("select", { class: "rw-choose", "aria-label": "Log" });
  choose.addEventListener("change", () => set({ name: choose.value }), { signal });
  const wrap = el("button", { class: "rw-button rw-toggle", type: "button" }, "Wrap");
  wrap.addEventListener("click", () => set({ wrap: !model.get("controls").wrap }), { signal });
  const copy = copyButton(scope, () => box.selected() || shown.lines.map((line) => line.text).join("\n"));
  setAttr(copy, "title", "Copy what is selected, or else all that is loaded");
  const download = el("button", { class: "rw-button", type: "button" }, "Download");
  const patience = scope.delay(PATIENCE_MS, () => {
    isDownloading = false;
    setAttr(download, "aria-busy", null);
  });
  download.addEventListener(
    "click",
    () => {
      if (isDownloading || name === null) return;
      isDownloading = true;
      setAttr(download, "aria-busy", "true");
      patience.restart();
      model.send({ kind: "download", name } satisfies LogDownloadRequest);
    },
    { signal },
  );
  const search = searchView(
    scope,
    finder,
    () => {
      box.patch(finder.seek(search.words().trim(), shown.lines));
      reveal();
    },
    () => reveal(),
  );
  const reveal = () => {
    box.reveal(finder.current);
    update();
  };
  const earlier = el("button", { class: "rw-button rw-earlier", type: "button" });
  earlier.addEventListener("click", () => ask(shown.start), { signal });
  const jump = el("button", { class: "rw-button rw-jump", type: "button" }, "Jump to end ↓");
  jump.addEventListener(
    "click",
    () => {
      box.follow();
      box.node.focus({ preventScroll: true }); // the button goes, and the focus is not to go with it
      if (!shown.isAtEnd) begin();
      update();
    },
    { signal },
  );
  const note = noteView("rw-more rw-log-note");
  const empty = emptyView("Nothing printed yet.", "Nothing was printed.");
  const toolbar = el("div", { class: "rw-log-bar" }, choose, search.node, wrap, copy, download);
  const head = el("div", { class: "rw-log-head" }, earlier);
  const page = el("div", { class: "rw-log-page" }, box.node, jump);
  scope.mount(host, el("div", { class: "rw-panel rw-logs" }, toolbar, note.node, head, page, empty.node));

  /** Forgets what is here, and asks for the end of the log. */
  const begin = () => {
    shown = new LogWindow();
    asking.stop();
    if (model.get("state").is_open) ask(null);
  };

  const update = () => {
    const { logs } = model.get("state");
    const { wrap: isWrapped } = model.get("controls");
    const isEmpty = shown.isEmpty || shown.size === 0;
    show(toolbar, logs.length > 0);
    show(choose, logs.length > 1);
    setAttr(wrap, "aria-pressed", String(isWrapped));
    box.node.classList.toggle("rw-wrap", isWrapped);
    show(page, !isEmpty);
    show(head, !isEmpty && shown.start > 0);
    setText(earlier, `Load earlier (${formatBytes(shown.start)} before this)`);
    setAttr(earlier, "aria-busy", asking.waiting ? "true" : null);
    show(jump, !box.isFollowing || (!isEmpty && !shown.isAtEnd));
    empty.patch(
      (logs.length === 0 || (!shown.isEmpty && shown.size === 0)) && !isGone,
      shown.isEmpty && logs.length > 0 && !isGone ? "Loading…" : "",
    );
    search.patch(shown.start > 0 || (!isEmpty && !shown.isAtEnd));
  };

  const receive = (message: LogMessage, buffers?: DataView[]) => {
    if (message?.name !== name) return;
    if (message.kind === "download") {
      if (!isDownloading) return; // another view asked
      patience.stop();
      isDownloading = false;
      setAttr(download, "aria-busy", null);
      const isWhole = message.start === 0;
      if (message.trouble === null) save([bytesOf(buffers)], message.name);
      const part = `The last ${formatBytes(message.end - message.start)} of ${formatBytes(message.size)}`;
      const rest = `${part} are downloaded; run.download_file("${message.name}") copies all of it.`;
      note.patch(message.trouble ?? (isWhole ? "" : rest));
      return;
    }
    if (message.kind !== "log") return;
    asking.stop();
    isGone = message.trouble !== null;
    note.patch(message.trouble === null ? "" : `${message.name}: ${message.trouble}`);
    if (message.trouble === null) {
      const taken = shown.take(message, bytesOf(buffers), box.isFollowing);
      if (taken === "gap") begin();
      else if (taken !== "nothing") {
        if (taken === "anew") finder.seek(search.words().trim(), shown.lines);
        else finder.update(taken === "earlier" ? shown.lines : shown.changed, shown.lines);
        box.show(shown, taken);
      }
    }
    update();
  };
  model.on("msg:custom", receive);
  scope.onEnd(() => model.off("msg:custom", receive));

  let offered = "";
  scope.watch(model, ["state", "controls"], () => {
    const { logs, is_open } = model.get("state");
    const wanted = model.get("controls").name;
    const chosen = wanted !== null && logs.includes(wanted) ? wanted : (logs[0] ?? null);
    const names = JSON.stringify(logs);
    if (names !== offered) {
      offered = names;
      choose.replaceChildren(...logs.map((log) => el("option", { value: log }, log)));
    }
    if (chosen !== null) choose.value = chosen;
    if (chosen !== name) {
      name = chosen;
      isGone = false;
      box.clear(name);
      box.follow();
      note.patch("");
      begin();
    } else if (is_open && shown.isEmpty && !isGone) ask(null);
    update();
    if (is_open) box.settle();
  });
  return scope.end;
}

export default { render };
