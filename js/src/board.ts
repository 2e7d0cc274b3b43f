import type { RenderProps } from "@anywidget/types";
import { KernelClock } from "./clock";
import { el, setAttr, setText, show } from "./dom";
import { kernelIsGone, tell } from "./kernel";
import { KeyedList } from "./keyed";
import { Scope } from "./scope";
import { type Board, targetView } from "./target";
import type { BoardMessage, BoardState, OpenRun, TargetState } from "./wire";

interface Traits {
  state: BoardState;
}

const GONE =
  "The kernel that kept this display up to date is gone. This is what was last known: " +
  "ComputeView(target) shows it anew, from any kernel.";

/** The line above the details of a run, which are another widget, the next in the display's root. */
function openRunView(signal: AbortSignal, close: () => void) {
  const name = el("b", { class: "rw-open-name" });
  const button = el("button", { class: "rw-button", type: "button" }, "Close details");
  button.addEventListener("click", close, { signal });
  const node = el(
    "div",
    { class: "rw-open-run" },
    el("span", { class: "rw-muted" }, "Details of"),
    name,
    button,
  );
  return {
    node,
    patch(run: OpenRun | null) {
      show(node, run !== null);
      setText(name, run?.run_name ?? "");
      setAttr(name, "title", run && `${run.run_name}\n${run.run_id}`);
    },
  };
}

/** Tells Python whether the page can be seen: nobody need look for what nobody sees. */
function reportSight(scope: Scope, host: HTMLElement, send: (message: BoardMessage) => void): void {
  const view = Math.random().toString(36).slice(2);
  let told = false;
  let wasInPage = false;
  const tell = () => {
    // JupyterLab keeps the notebooks of other tabs in the page, without a size.
    const hasSize = host.getClientRects().length > 0;
    wasInPage ||= hasSize;
    const hidden = document.visibilityState === "hidden" || (wasInPage && !hasSize);
    if (hidden === told) return;
    told = hidden;
    send({ kind: "sight", view, hidden });
  };
  document.addEventListener("visibilitychange", tell, { signal: scope.signal });
  const sized = new ResizeObserver(tell);
  sized.observe(host);
  scope.onEnd(() => {
    sized.disconnect();
    if (told) send({ kind: "sight", view, hidden: false });
  });
  tell();
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const clock = new KernelClock();
  const send = (message: BoardMessage) => tell(model, message);
  let goneAt: number | null = null;
  const board: Board = {
    now: () => goneAt ?? clock.now(),
    isGone: () => goneAt !== null,
    openRun: () => model.get("state").open_run?.run_id ?? null,
    send,
  };
  const list = el("div");
  const targets = new KeyedList<TargetState>(
    list,
    ({ id }) => id,
    () => targetView(scope, board),
  );
  const gone = el("p", { class: "rw-gone-note", role: "status", title: GONE }, "kernel gone");
  // The button that opened the details has the focus again when they go.
  const close = () => {
    const opener = list.querySelector<HTMLElement>("[aria-expanded=true].rw-open");
    send({ kind: "close" });
    opener?.focus();
  };
  let opened: string | null = model.get("state").open_run?.run_id ?? null;
  const open = openRunView(scope.signal, close);
  const panel = el("div", { class: "rw-panel rw-board" }, gone, list, open.node);
  scope.mount(host, panel);

  const draw = () => {
    const state = model.get("state");
    goneAt = kernelIsGone(host, model.widget_manager) ? (goneAt ?? clock.now()) : null;
    panel.classList.toggle("rw-gone", goneAt !== null);
    show(gone, goneAt !== null);
    targets.update(state.targets);
    open.patch(state.open_run);
    const now = state.open_run?.run_id ?? null;
    // A long board would else open them out of sight.
    if (now !== opened && now !== null) open.node.scrollIntoView({ block: "nearest" });
    opened = now;
  };
  scope.watch(model, ["state"], () => {
    clock.receive(model.get("state").sent_at);
    draw();
  });
  // On the root, since the focus may be in the details.
  let root: HTMLElement | null = null;
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented || model.get("state").open_run === null) return;
    if (event.target instanceof Element && event.target.closest("dialog")) return;
    event.preventDefault();
    close();
  };
  const attached = new ResizeObserver(() => {
    if (root) return;
    root = host.closest<HTMLElement>(".rw-compute");
    root?.addEventListener("keydown", leave, { signal: scope.signal });
  });
  attached.observe(host);
  scope.onEnd(() => attached.disconnect());
  reportSight(scope, host, send);
  scope.every(1000, draw);
  return scope.end;
}

export default { render };
