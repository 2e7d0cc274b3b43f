import type { Scope } from "./scope";

/** Calls `action` whenever a node comes into sight; that of a tab that is not open is not in sight. */
export function whenSeen(scope: Scope, node: Element, action: () => void): void {
  // A shut page is a line of no height, which its first cards touch: that is not seeing, and told apart by the threshold.
  const watcher = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting && entry.intersectionRect.height > 1)) action();
    },
    { rootMargin: "200px 0px", threshold: 0.001 },
  );
  watcher.observe(node);
  scope.onEnd(() => watcher.disconnect());
}
