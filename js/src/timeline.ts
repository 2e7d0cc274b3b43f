/** The states that a run has been in, and for how long. */
import { el, setAttr, setText } from "./dom";
import { formatDuration, formatMoment } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import type { Scope } from "./scope";
import { statusView } from "./status";
import type { Change } from "./wire";

interface Stretch extends Change {
  /** Until the next state, or until now; null for the state that a run has ended in. */
  seconds: number | null;
  /** Of all that is over. */
  share: number;
}

const ENDS: ReadonlySet<string> = new Set(["done", "failed", "canceled"]);
const now = () => Date.now() / 1000;

function stretchesOf(changes: readonly Change[]): Stretch[] {
  const [first, last] = [changes[0], changes[changes.length - 1]];
  const until = last && ENDS.has(last.status_group) ? last.at : Math.max(now(), last?.at ?? 0);
  const whole = first ? until - first.at : 0;
  return changes.map((change, at) => {
    const next = changes[at + 1]?.at ?? (ENDS.has(change.status_group) ? null : until);
    const seconds = next === null ? null : Math.max(0, next - change.at);
    return { ...change, seconds, share: whole > 0 && seconds !== null ? seconds / whole : 0 };
  });
}

function stretchView(): ItemView<Stretch> {
  const status = statusView();
  const at = el("td", { class: "rw-left" });
  const span = el("td", {});
  const bar = el("span", { class: "rw-stretch-bar", "aria-hidden": "true" });
  const node = el(
    "tr",
    {},
    el("th", { scope: "row", class: "rw-left" }, status.node),
    at,
    span,
    el("td", { class: "rw-stretch" }, bar),
  );
  return {
    node,
    patch(stretch) {
      status.patch(stretch.status, stretch.status_group);
      setText(at, formatMoment(stretch.at));
      const { seconds } = stretch;
      const short = seconds !== null && seconds < 10 ? `${seconds.toFixed(1)} s` : "";
      setText(span, seconds === null ? "" : short || formatDuration(seconds));
      bar.style.width = `${(stretch.share * 100).toFixed(1)}%`;
      setAttr(node, "data-status", stretch.status_group);
    },
  };
}

export function timelineView(scope: Scope) {
  let shown: readonly Change[] = [];
  const body = el("tbody");
  const list = new KeyedList<Stretch>(body, ({ status, at }) => `${status} ${at}`, stretchView);
  scope.every(1000, () => {
    const last = shown[shown.length - 1];
    if (last && !ENDS.has(last.status_group)) list.update(stretchesOf(shown));
  });
  return {
    node: el("div", { class: "rw-table-box" }, el("table", { class: "rw-table rw-timeline" }, body)),
    patch(changes: readonly Change[]) {
      shown = changes;
      list.update(stretchesOf(changes));
    },
  };
}
