import { el, setAttr, setText } from "./dom";
import type { Delay, Scope } from "./scope";

const ANSWER_MS = 2000;

/** A button that puts a text on the clipboard, and says for a while whether it did. */
export function copyButton(scope: Scope, read: () => string, label = "Copy"): HTMLElement {
  const button = el("button", { class: "rw-button rw-copy", type: "button" }, label);
  const say = (text: string) => setText(button, text);
  const back: Delay = scope.delay(ANSWER_MS, () => say(label));
  const answer = (text: string) => {
    // The clipboard may answer after the view is gone; a timer started then would never be cleared.
    if (scope.signal.aborted) return;
    say(text);
    back.restart();
  };
  button.addEventListener(
    "click",
    async () => {
      try {
        // Absent on pages that are not served securely, refused where the host forbids it.
        await navigator.clipboard.writeText(read());
        answer("Copied");
      } catch {
        answer("Not copied: select the text");
      }
    },
    { signal: scope.signal },
  );
  setAttr(button, "aria-live", "polite");
  return button;
}
