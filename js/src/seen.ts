import type { Scope } from "./scope";

/** Calls `action` whenever a node comes into sight; that of a tab that is not open is not in sight. */
export function whenSeen(scope: Scope, node: Element, action: () => void): void {
  // A part of a pixel does not count: a shut page is a line of no height.
  const watcher = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting && entry.intersectionRect.height > 1)) action();
    },
    { rootMargin: "200px 0px" },
  );
  watcher.observe(node);
  scope.onEnd(() => watcher.disconnect());
}
