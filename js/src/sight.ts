import { gridOf, placeOf } from "./plotarea";
import type { Scope } from "./scope";
import type { GoneMessage, SightMessage } from "./wire";

const WAIT_MS = 40;
/** A chart is drawn shortly before it scrolls in. */
const AHEAD = "300px";

/** Tells which charts of a display can be seen in this view, whenever that changes. */
export function watchSight(
  scope: Scope,
  root: Element,
  send: (message: SightMessage | GoneMessage) => void,
): void {
  const view = Math.random().toString(36).slice(2);
  const seen = new Set<Element>();
  let said = "";
  const say = scope.delay(WAIT_MS, () => {
    const message: SightMessage = {
      kind: "sight",
      view,
      is_hidden: document.visibilityState === "hidden",
      metrics: [],
      system: [],
    };
    for (const card of seen) if (placeOf(card) >= 0) message[gridOf(card)].push(placeOf(card));
    message.metrics.sort((a, b) => a - b);
    message.system.sort((a, b) => a - b);
    const text = JSON.stringify(message);
    if (text === said) return;
    said = text;
    send(message);
  });
  const crossing = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) seen.add(target);
        else seen.delete(target);
      }
      say.start();
    },
    { rootMargin: AHEAD, scrollMargin: AHEAD } as IntersectionObserverInit,
  );
  const known = new Set<Element>();
  const gather = () => {
    for (const card of known) {
      if (card.isConnected) continue;
      crossing.unobserve(card);
      known.delete(card);
      seen.delete(card);
      say.start();
    }
    // By their place, not by their class: that comes later.
    for (const card of root.querySelectorAll(".rw-charts > *")) {
      if (known.has(card)) continue;
      known.add(card);
      crossing.observe(card);
    }
  };
  // Of the grids only the children are watched: what happens inside a chart is much, and nothing new.
  const arrivals = new MutationObserver(gather);
  const growth = new MutationObserver(() => {
    const grids = root.querySelectorAll(".rw-charts");
    for (const grid of grids) arrivals.observe(grid, { childList: true });
    if (grids.length > 1) growth.disconnect();
    gather();
  });
  growth.observe(root, { childList: true, subtree: true });
  for (const grid of root.querySelectorAll(".rw-charts")) arrivals.observe(grid, { childList: true });
  gather();
  say.start();
  document.addEventListener("visibilitychange", () => say.start(), { signal: scope.signal });
  scope.onEnd(() => {
    crossing.disconnect();
    arrivals.disconnect();
    growth.disconnect();
    send({ kind: "gone", view });
  });
}
