import type { RenderProps } from "@anywidget/types";
import { el, setAttr, setText, show } from "./dom";
import { formatNumber } from "./format";
import { kernelIsGone } from "./kernel";
import { type PopupPlace, type ShownDetail, type StepDetail, tellTable } from "./popupevent";
import { Scope } from "./scope";
import type { PopupState } from "./wire";

interface Traits {
  state: PopupState;
}

const STEPS: Record<string, 1 | -1> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
/** Who holds an arrow key down passes by many runs: only where they rest is a display made. */
const REST_MS = 180;
const SILENCE_MS = 300;

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const button = (label: string, sign: string, action: () => void) => {
    const made = el(
      "button",
      { class: "rw-icon-button", type: "button", "aria-label": label, title: label },
      sign,
    );
    made.addEventListener("click", action, { signal: scope.signal });
    return made;
  };
  const name = el("b", { class: "rw-popup-name" });
  const place = el("span", { class: "rw-muted rw-popup-place" });
  const word = el("span", { class: "rw-muted rw-popup-word", role: "status" });
  const back = button("Previous run", "‹", () => step(-1));
  const on = button("Next run", "›", () => step(1));
  const cross = button("Close", "×", () => close());
  const bar = el("div", { class: "rw-popup-bar", tabindex: -1 }, back, on, name, place, word, cross);
  const trouble = el("p", { class: "rw-empty", role: "alert" });
  const panel = el("div", { class: "rw-panel" }, bar, trouble);
  scope.mount(host, panel);

  /** The run that is shown, or will be as soon as Python has made its display. */
  let at = model.get("state").run_id;
  let go: (() => void) | null = null;
  let box: HTMLElement | null = null;
  let home: HTMLElement | null = null;

  const say = scope.delay(SILENCE_MS, () => {
    const gone = kernelIsGone(host, model.widget_manager);
    setText(word, gone ? "the kernel is gone" : "waiting for Python …");
  });
  const rest = scope.delay(REST_MS, () => {
    go?.();
    go = null;
    say.restart();
  });
  const tell = (found: PopupPlace | undefined, title: string) => {
    setText(name, title);
    setAttr(name, "title", `${title}\n${at}`);
    setText(
      place,
      found && found.place >= 0 ? `${formatNumber(found.place + 1)} of ${formatNumber(found.of)}` : "",
    );
    if (!found) return;
    setAttr(back, "aria-disabled", String(found.place === 0));
    setAttr(on, "aria-disabled", String(found.place === found.of - 1));
  };
  function step(by: 1 | -1): void {
    const { next, go: found } = tellTable<StepDetail>(host, { kind: "step", run_id: at, by });
    if (!next || !found) return;
    at = next.run_id;
    go = found;
    tell(next, next.name);
    box?.classList.add("rw-turning");
    rest.restart();
  }
  /** The stylesheet lays the pop-up over what is beside it in their box. */
  const cover = (covers: boolean) => {
    box?.classList.toggle("rw-shut", !covers);
    home?.classList.toggle("rw-covered", covers);
  };
  function close(): void {
    cover(false);
    rest.stop();
    say.stop();
    model.send({ kind: "close" });
    tellTable(host, { kind: "closed", run_id: at });
  }

  const draw = () => {
    const state = model.get("state");
    if (state.run_id !== at && rest.waiting) return; // somebody has gone on since it was asked for
    at = state.run_id;
    say.stop();
    setText(word, "");
    box?.classList.remove("rw-turning");
    cover(true);
    const { next, focus } = tellTable<ShownDetail>(host, { kind: "shown", run_id: at });
    tell(next, state.run_name);
    setText(trouble, state.trouble === null ? "" : `This run cannot be shown: ${state.trouble}`);
    show(trouble, state.trouble !== null);
    if (box) setAttr(box, "aria-label", `Run ${state.run_name}`);
    if (!focus || box?.contains(document.activeElement)) return;
    bar.focus({ preventScroll: true });
    box?.scrollIntoView({ block: "nearest" });
  };
  const press = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = event.target instanceof Element ? event.target : null;
    const by = STEPS[event.key];
    if (event.key === "Escape" && !target?.closest("dialog")) close();
    else if (by && target && bar.contains(target)) step(by);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // A view is rendered before it is put into the page; its size tells when it is there.
  const attached = new ResizeObserver(() => {
    if (box) return;
    box = host.closest<HTMLElement>(".rw-popup");
    if (!box) return;
    home = box.closest<HTMLElement>(".rw-popup-home");
    setAttr(box, "role", "dialog");
    box.addEventListener("keydown", press, { signal: scope.signal });
    draw();
  });
  attached.observe(host);
  scope.onEnd(() => attached.disconnect());
  scope.onEnd(() => home?.classList.remove("rw-covered"));
  scope.watch(model, ["state"], draw);
  return scope.end;
}

export default { render };
