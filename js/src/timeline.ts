/** The states that a run has been in, and for how long. */
import { el, setAttr, setText } from "./dom";
import { formatDuration, formatMoment } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { statusView } from "./status";
import type { Change } from "./wire";

interface Stretch extends Change {
  /** Until the next state; null for the last. */
  seconds: number | null;
  /** Of all that is over. */
  share: number;
}

function stretchesOf(changes: readonly Change[]): Stretch[] {
  const [first, last] = [changes[0], changes[changes.length - 1]];
  const whole = first && last ? last.at - first.at : 0;
  return changes.map((change, at) => {
    const next = changes[at + 1];
    const seconds = next ? Math.max(0, next.at - change.at) : null;
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

export function timelineView() {
  const body = el("tbody");
  const list = new KeyedList<Stretch>(body, ({ status, at }) => `${status} ${at}`, stretchView);
  return {
    node: el("div", { class: "rw-table-box" }, el("table", { class: "rw-table rw-timeline" }, body)),
    patch: (changes: readonly Change[]) => list.update(stretchesOf(changes)),
  };
}
