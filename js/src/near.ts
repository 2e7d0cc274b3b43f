import type { Scope } from "./scope";

const AROUND = "200px";

/** Calls `turn` when a node comes near what is seen of the page, and when it goes. A page whose tab is shut is not seen. */
export function watchNear(scope: Scope, turn: (node: Element, isSeen: boolean) => void) {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) turn(target, isIntersecting);
    },
    { rootMargin: AROUND },
  );
  scope.onEnd(() => observer.disconnect());
  return observer;
}
