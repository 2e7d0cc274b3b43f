import { cancelView } from "./cancel";
import { copyButton } from "./copy";
import { el, setAttr, setText, show } from "./dom";
import { formatDuration, formatMoment, formatNumber, formatProgress } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { Scope } from "./scope";
import { statusView } from "./status";
import { noteView } from "./table";
import type { ActiveRow, BoardMessage, BoardRow, QueuedRow, TargetState } from "./wire";

/** What the parts of a board know of it. */
export interface Board {
  now(): number;
  isGone(): boolean;
  /** Id of the run whose details are shown. */
  openRun(): string | null;
  send(message: BoardMessage): void;
}

/** Where a run is, and how long already. */
function stagesOf(row: ActiveRow | QueuedRow, now: number) {
  if ("place" in row) {
    const since = row.queued_at;
    return { word: "waiting", since, seconds: now - since, place: row.place, priority: row.priority };
  }
  const since = row.started_at;
  return { word: "running", since, seconds: since === null ? null : now - since, place: null, priority: 0 };
}

function rowView<Row extends ActiveRow | QueuedRow>(parent: Scope, board: Board): ItemView<Row> {
  const scope = new Scope();
  parent.signal.addEventListener("abort", scope.end, { signal: scope.signal });
  let shown: BoardRow | undefined;
  const tell = (kind: "cancel" | "details") => shown && board.send({ kind, run_id: shown.run_id });

  const place = el("span", { class: "rw-place" });
  const status = statusView();
  const name = el("span", { class: "rw-job-name" });
  const number = el("span", { class: "rw-muted" });
  const experiment = el("span", { class: "rw-job-experiment" });
  const id = el("span", { class: "rw-id rw-job-id" });
  const span = el("span", { class: "rw-job-span" });
  const priority = el("span", { class: "rw-job-more" });
  const progress = el("span", { class: "rw-job-more" });
  const owner = el("span", { class: "rw-job-owner" });
  const details = el("button", { class: "rw-button rw-open", type: "button" }, "Details");
  details.addEventListener(
    "click",
    () => {
      if (shown && board.openRun() === shown.run_id) board.send({ kind: "close" });
      else tell("details");
    },
    { signal: scope.signal },
  );
  const cancel = cancelView(
    scope,
    () => tell("cancel"),
    () => details.focus(),
  );
  const node = el(
    "li",
    { class: "rw-job" },
    el("div", { class: "rw-job-state" }, place, status.node),
    el(
      "div",
      { class: "rw-job-what" },
      el("div", { class: "rw-job-line" }, name, number),
      el(
        "div",
        { class: "rw-job-line rw-job-sub" },
        experiment,
        id,
        copyButton(scope, () => shown?.run_id ?? ""),
      ),
    ),
    el("div", { class: "rw-job-time" }, span, priority, progress),
    owner,
    el("div", { class: "rw-job-actions" }, details, cancel.button),
    cancel.node,
  );
  return {
    node,
    patch(row) {
      if (shown !== row) cancel.answered();
      shown = row;
      const stage = stagesOf(row, board.now());
      const isGone = board.isGone();
      setText(place, stage.place === null ? "" : `${formatNumber(stage.place)}.`);
      show(place, stage.place !== null);
      status.patch(row.status, isGone ? "silent" : row.status_group);
      setText(name, row.run_name);
      setAttr(name, "title", row.run_name);
      setText(number, row.run_number === null ? "" : `#${row.run_number}`);
      setText(experiment, row.experiment);
      setAttr(experiment, "title", `experiment ${row.experiment}`);
      setText(id, row.run_id);
      setAttr(id, "title", row.run_id);
      setText(span, stage.seconds === null ? "" : `${stage.word} ${formatDuration(stage.seconds)}`);
      setAttr(span, "title", stage.since === null ? null : `since ${formatMoment(stage.since)}`);
      setText(priority, `priority ${formatNumber(stage.priority)}`);
      show(priority, stage.priority !== 0);
      const made = "progress" in row ? row.progress : null;
      setText(progress, made ? formatProgress(made) : "");
      setAttr(progress, "title", made && formatProgress(made));
      show(progress, made !== null);
      setText(owner, row.owner);
      setAttr(owner, "title", row.owner && `submitted by ${row.owner}`);
      setAttr(details, "aria-expanded", String(board.openRun() === row.run_id));
      show(details, !isGone);
      cancel.patch(row, isGone);
    },
    drop: scope.end,
  };
}

/** One part of a target's runs: a heading with their number, the first of them, and how many more there are. */
function partView<Row extends ActiveRow | QueuedRow>(title: string, scope: Scope, board: Board) {
  const count = el("span", { class: "rw-count" });
  const list = el("ul", { class: "rw-jobs", "aria-label": `${title} runs` });
  const more = noteView("rw-more");
  const heading = el("h4", { class: "rw-section-title" }, title, count);
  const node = el("section", { class: "rw-section" }, heading, list, more.node);
  const rows = new KeyedList<Row>(
    list,
    ({ run_id }) => run_id,
    () => rowView<Row>(scope, board),
  );
  return {
    node,
    patch(items: readonly Row[], total: number) {
      show(node, total > 0);
      setText(count, formatNumber(total));
      rows.update(items);
      const hidden = total - items.length;
      more.patch(hidden > 0 ? `and ${formatNumber(hidden)} more` : "");
    },
  };
}

function meterView() {
  const bar = el("div", { class: "rw-meter-bar" });
  const node = el("div", { class: "rw-meter", "aria-hidden": "true" }, bar);
  return {
    node,
    patch(taken: number, slots: number) {
      bar.style.width = `${slots > 0 ? Math.min(100, Math.round((taken / slots) * 100)) : 0}%`;
    },
  };
}

/** A compute target: its slots, the runs that have them, and those that wait for one. */
export function targetView(scope: Scope, board: Board): ItemView<TargetState> {
  const name = el("span", { class: "rw-target-name" });
  const kind = el("span", { class: "rw-muted" });
  const meter = meterView();
  const slots = el("span");
  const waiting = el("span", { class: "rw-muted" });
  const troubleText = el("span", { class: "rw-banner-text" });
  const trouble = el(
    "div",
    { class: "rw-banner rw-banner-warning", role: "status" },
    el("span", { class: "rw-banner-sign", "aria-hidden": "true" }, "⚠"),
    troubleText,
  );
  const empty = noteView("rw-empty");
  const active = partView<ActiveRow>("Active", scope, board);
  const queued = partView<QueuedRow>("Queued", scope, board);
  const head = el(
    "div",
    { class: "rw-target-head" },
    el("div", { class: "rw-target-title" }, name, kind),
    el("div", { class: "rw-target-slots", role: "status" }, meter.node, slots, waiting),
  );
  return {
    node: el("section", { class: "rw-target" }, head, trouble, empty.node, active.node, queued.node),
    patch(target) {
      const where = target.workspace === null ? "" : ` in ${target.workspace}`;
      setText(name, target.name);
      setAttr(name, "title", target.name);
      setText(kind, `${target.kind === target.name ? "" : target.kind}${where}`.trim());
      meter.patch(target.taken, target.slots);
      setText(slots, `${formatNumber(target.taken)} of ${formatNumber(target.slots)} slots taken`);
      const { queued_total: line } = target;
      setText(waiting, line === 1 ? "1 waits" : `${formatNumber(line)} wait`);
      show(waiting, line > 0);
      setText(troubleText, target.trouble ?? "");
      show(trouble, target.trouble !== null);
      const isEmpty = target.active_total + line === 0 && target.trouble === null;
      empty.patch(isEmpty ? `No run is active or queued on '${target.name}'.` : "");
      active.patch(target.active, target.active_total);
      queued.patch(target.queued, target.queued_total);
    },
  };
}
