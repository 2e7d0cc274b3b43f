import type { RenderProps } from "@anywidget/types";
import { cancelView } from "./cancel";
import { KernelClock } from "./clock";
import { el, setAttr, setText, show } from "./dom";
import { formatDuration, formatProgress } from "./format";
import { kernelIsGone } from "./kernel";
import { Scope } from "./scope";
import { statusView } from "./status";
import { TabStrip } from "./tabs";
import type { CancelMessage, HeaderState, Progress, RefreshMessage, RunError } from "./wire";

interface Traits {
  state: HeaderState;
  selected_index: number;
  time_zone: string;
}

/** After this long without an answer the refresh button may be pressed again. */
const REFRESH_PATIENCE_MS = 15_000;

/** After so long without word from Python, the look that is due has found nothing new, and the next is counted down. */
const SILENCE_SECONDS = 2;

/** How long it is until the next look; Python says nothing of those that found nothing new. */
function untilNext(left: number, every: number | null): number {
  if (left > -SILENCE_SECONDS || !every || every < SILENCE_SECONDS) return left;
  return every - (-left % every);
}

const GONE_TITLE =
  "The kernel that kept this display up to date is gone. This is what was last known of the run: " +
  "RunDetails(run) shows it anew, from any kernel.";

function crumbsView() {
  const experiment = el("span", { class: "rw-experiment" });
  const name = el("span", { class: "rw-run" });
  const number = el("span", { class: "rw-number" });
  const slash = el("span", { class: "rw-slash", "aria-hidden": "true" }, "/");
  const node = el("div", { class: "rw-crumbs" }, experiment, slash, name, number);
  return {
    node,
    patch({ experiment: of, run_name, run_number, run_id }: HeaderState) {
      const tail = run_number === null ? "" : `#${run_number}`;
      setText(experiment, of);
      setText(name, run_name);
      setText(number, tail);
      show(number, tail !== "");
      setAttr(node, "title", `${of} / ${run_name} ${tail}`.trimEnd() + (run_id ? `\n${run_id}` : ""));
    },
  };
}

function progressView() {
  const bar = el("div", { class: "rw-progress-bar" });
  const track = el("div", { class: "rw-progress", role: "progressbar", "aria-label": "Progress" }, bar);
  const done = el("span", { class: "rw-done" });
  const left = el("span", { class: "rw-left" });
  const source = el(
    "span",
    { class: "rw-source", title: "The run reports no progress itself: this is the last bar in its log." },
    "read from the output",
  );
  const words = el("span", { class: "rw-progress-words" }, done, source);
  const node = el("div", { class: "rw-progress-box" }, track, el("div", { class: "rw-sub" }, words, left));
  return {
    node,
    patch(progress: Progress | null, active: boolean) {
      show(node, progress !== null);
      if (!progress) return;
      const { done: at, total, is_from_output } = progress;
      show(source, is_from_output);
      const known = total !== null && total > 0;
      const text = formatProgress(progress);
      setText(done, text);
      // An ended run of unknown length has nothing a bar could say.
      show(track, known || active);
      track.classList.toggle("rw-indeterminate", !known);
      bar.style.width = known ? `${Math.min(100, Math.max(0, (at / total) * 100)).toFixed(2)}%` : "";
      setAttr(track, "aria-valuemin", known ? 0 : null);
      setAttr(track, "aria-valuemax", known ? total : null);
      setAttr(track, "aria-valuenow", known ? Math.min(total, Math.max(0, at)) : null);
      setAttr(track, "aria-valuetext", text);
    },
    tick(secondsLeft: number | null) {
      // An estimate that has run out before the run says nothing.
      const shown = secondsLeft !== null && secondsLeft >= 1;
      show(left, shown);
      if (shown) setText(left, `about ${formatDuration(secondsLeft)} left`);
    },
  };
}

function errorView(signal: AbortSignal) {
  const code = el("b", { class: "rw-error-code" });
  const message = el("span", { class: "rw-error-message" });
  const toggle = el("button", { class: "rw-button", type: "button", "aria-expanded": "false" });
  const traceback = el("pre", { class: "rw-traceback", tabindex: 0, "aria-label": "Traceback" });
  const bar = el("div", { class: "rw-banner rw-banner-error", role: "alert" }, code, message, toggle);
  const node = el("div", {}, bar, traceback);
  let open = false;
  const reveal = () => {
    const shown = open && traceback.textContent !== "";
    show(traceback, shown);
    setAttr(toggle, "aria-expanded", String(shown));
    setText(toggle, shown ? "Hide traceback" : "Show traceback");
  };
  toggle.addEventListener(
    "click",
    () => {
      open = !open;
      reveal();
    },
    { signal },
  );
  return {
    node,
    patch(error: RunError | null) {
      show(node, error !== null);
      setText(code, error?.code ?? "");
      const words = error?.message ?? "";
      if (message.textContent !== words) {
        setText(message, words);
        message.scrollTop = message.scrollHeight; // where it is long, its end tells most: the last lines of a log
      }
      setText(traceback, error?.traceback ?? "");
      show(toggle, Boolean(error?.traceback));
      reveal();
    },
  };
}

function refreshView(scope: Scope, send: () => void) {
  const countdown = el("span", { class: "rw-next" });
  const button = el(
    "button",
    { class: "rw-icon-button", type: "button", "aria-label": "Refresh now", title: "Refresh now" },
    el("span", { class: "rw-refresh-sign", "aria-hidden": "true" }, "⟳"),
  );
  const gone = el("span", { class: "rw-gone-word", title: GONE_TITLE, role: "status" });
  const node = el("span", { class: "rw-refresh" }, countdown, button, gone);
  const setBusy = (busy: boolean) => setAttr(button, "aria-busy", busy ? "true" : null);
  const patience = scope.delay(REFRESH_PATIENCE_MS, () => setBusy(false));
  button.addEventListener(
    "click",
    () => {
      // Not `disabled`: that would throw the focus away.
      if (button.getAttribute("aria-busy")) return;
      setBusy(true);
      patience.restart();
      send();
    },
    { signal: scope.signal },
  );
  return {
    node,
    answered() {
      patience.stop();
      setBusy(false);
    },
    tick(seconds: number | null, isGone: boolean) {
      show(node, seconds !== null || isGone);
      show(countdown, !isGone);
      show(button, !isGone);
      setText(gone, isGone ? "kernel gone" : "");
      if (seconds !== null)
        setText(countdown, seconds > 0 ? `next refresh ${Math.ceil(seconds)} s` : "refresh due");
    },
  };
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const clock = new KernelClock();
  const status = statusView();
  // Read out at a change of state, unlike the ticking numbers beside it.
  setAttr(status.node, "role", "status");
  const queue = el("span", { class: "rw-queue" });
  const crumbs = crumbsView();
  const elapsedWord = el("span", { class: "rw-muted" });
  const elapsedTime = el("b", { class: "rw-time" });
  const elapsed = el("span", { class: "rw-elapsed" }, elapsedWord, " ", elapsedTime);
  const refresh = refreshView(scope, () => model.send({ kind: "refresh" } satisfies RefreshMessage));
  const progress = progressView();
  const error = errorView(scope.signal);
  const bannerText = el("span", { class: "rw-banner-text" });
  const banner = el(
    "div",
    { class: "rw-banner rw-banner-warning", role: "status" },
    el("span", { class: "rw-banner-sign", "aria-hidden": "true" }, "⚠"),
    bannerText,
  );
  // The times on the axes of charts are written by Python, and are to be those that the browser writes.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone !== model.get("time_zone")) {
    model.set("time_zone", zone);
    model.save_changes();
  }
  const tabs = new TabStrip(scope.signal, (index) => {
    model.set("selected_index", index);
    model.save_changes();
  });
  const cancel = cancelView(
    scope,
    () => model.send({ kind: "cancel" } satisfies CancelMessage),
    () => tabs.focus(),
  );
  const aside = el("div", { class: "rw-aside" }, elapsed, refresh.node, cancel.button);
  const head = el("div", { class: "rw-head" }, status.node, queue, crumbs.node, aside);
  const panel = el(
    "div",
    { class: "rw-panel rw-header" },
    head,
    progress.node,
    cancel.node,
    error.node,
    banner,
    tabs.node,
  );
  scope.mount(host, panel);

  let goneAt: number | null = null;
  const tick = () => {
    const state = model.get("state");
    const { started_at, ended_at, sent_at, next_refresh_at, refresh_seconds, progress: made } = state;
    goneAt = kernelIsGone(host, model.widget_manager) ? (goneAt ?? clock.now()) : null;
    const now = goneAt ?? clock.now();
    panel.classList.toggle("rw-gone", goneAt !== null);
    const unknown = goneAt !== null && ended_at === null;
    const group = unknown ? "silent" : state.status_group;
    status.patch(unknown ? `was ${state.status}` : state.status, group);
    setAttr(panel, "data-status", group);
    show(elapsed, started_at !== null);
    if (started_at !== null) {
      setText(elapsedWord, ended_at === null ? "elapsed" : "ran");
      setText(elapsedTime, formatDuration((ended_at ?? now) - started_at));
    }
    cancel.patch(state, goneAt !== null);
    refresh.tick(
      next_refresh_at === null ? null : untilNext(next_refresh_at - now, refresh_seconds),
      goneAt !== null,
    );
    const left = ended_at === null && goneAt === null ? (made?.seconds_left ?? null) : null;
    progress.tick(left === null ? null : left - (now - sent_at));
  };
  scope.watch(model, ["state"], () => {
    const state = model.get("state");
    clock.receive(state.sent_at);
    refresh.answered();
    cancel.answered();
    crumbs.patch(state);
    setText(queue, state.queue ?? "");
    setAttr(queue, "title", state.queue);
    show(queue, state.queue !== null);
    progress.patch(state.progress, state.status_group === "active");
    error.patch(state.error);
    setText(bannerText, state.banner ?? "");
    show(banner, state.banner !== null);
    tick();
  });
  // The pages are other widgets, siblings in the display's root. The stylesheet shows the one that the root names, so that
  // a tab needs no kernel, and its charts need not be drawn anew. The root also says whether the run is over.
  const turn = () => {
    const { tabs, ended_at } = model.get("state");
    const page = tabs[model.get("selected_index")];
    const root = host.closest<HTMLElement>(".runwidgets");
    if (page && root) setAttr(root, "data-page", page.id);
    if (root) setAttr(root, "data-over", ended_at === null ? null : "true");
  };
  scope.watch(model, ["state", "selected_index"], () => {
    tabs.update(model.get("state").tabs, model.get("selected_index"));
    turn();
  });
  // A view is rendered before it is put into the page; its size tells when it is there.
  const attached = new ResizeObserver(turn);
  attached.observe(host);
  scope.signal.addEventListener("abort", () => attached.disconnect());
  scope.every(1000, tick);
  return scope.end;
}

export default { render };
