import { el, setAttr, setText, show } from "./dom";
import { formatNumber } from "./format";
import type { Scope } from "./scope";
import type { Cancelable } from "./wire";

/** After this long without an answer it may be asked for again. */
const PATIENCE_MS = 15_000;

function question(children: number): string {
  if (children === 0) return "Cancel this run?";
  const them = children === 1 ? "child run" : `${formatNumber(children)} child runs`;
  return `Cancel this run and its ${them}?`;
}

/** The button that cancels the run, and the question it asks first. `leave` takes the focus when the button goes. */
export function cancelView(scope: Scope, send: () => void, leave: () => void) {
  const { signal } = scope;
  const button = el(
    "button",
    { class: "rw-button rw-cancel", type: "button", "aria-expanded": "false" },
    "Cancel",
  );
  const text = el("span", {
    class: "rw-banner-text",
    id: `rw-cancel-${Math.random().toString(36).slice(2)}`,
  });
  const yes = el("button", { class: "rw-button rw-yes", type: "button" }, "Yes, cancel");
  const no = el("button", { class: "rw-button", type: "button" }, "Keep running");
  const ask = el(
    "div",
    { class: "rw-banner rw-confirm", role: "alertdialog", "aria-labelledby": text.id },
    text,
    el("span", { class: "rw-confirm-choices" }, yes, no),
  );
  const trouble = el("div", { class: "rw-banner rw-cancel-trouble", role: "alert" });
  const node = el("div", {}, ask, trouble);
  let isAsking = false;
  let canCancel = false;

  const open = (asking: boolean) => {
    isAsking = asking && canCancel;
    show(ask, isAsking);
    setAttr(button, "aria-expanded", String(isAsking));
  };
  const setBusy = (busy: boolean) => setAttr(button, "aria-busy", busy ? "true" : null);
  const patience = scope.delay(PATIENCE_MS, () => setBusy(false));
  button.addEventListener(
    "click",
    () => {
      if (button.getAttribute("aria-busy")) return;
      open(!isAsking);
      // On the harmless answer: who strikes Enter twice has canceled nothing.
      if (isAsking) no.focus();
    },
    { signal },
  );
  const close = () => {
    open(false);
    button.focus();
  };
  no.addEventListener("click", close, { signal });
  yes.addEventListener(
    "click",
    () => {
      close();
      setBusy(true);
      patience.restart();
      send();
    },
    { signal },
  );
  for (const part of [ask, button] as HTMLElement[]) {
    part.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape" || !isAsking) return;
        event.preventDefault();
        event.stopPropagation();
        close();
      },
      { signal },
    );
  }
  return {
    button,
    node,
    patch({ can_cancel, open_children, cancel_trouble }: Cancelable, isGone: boolean) {
      canCancel = can_cancel && !isGone;
      setText(text, question(open_children));
      setText(trouble, cancel_trouble === null ? "" : `The run was not canceled: ${cancel_trouble}`);
      show(trouble, cancel_trouble !== null);
      const hadFocus = node.contains(document.activeElement) || button === document.activeElement;
      if (!canCancel) open(false);
      show(ask, isAsking);
      show(button, canCancel);
      if (hadFocus && !canCancel) leave();
    },
    answered() {
      patience.stop();
      setBusy(false);
    },
  };
}
