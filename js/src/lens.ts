import type { RenderProps } from "@anywidget/types";
import { Brush } from "./brush";
import { el, setAttr } from "./dom";
import { kernelIsGone, tell } from "./kernel";
import { chartAt, type Found, xAtPixel } from "./plotarea";
import { Readout } from "./readout";
import { Scope } from "./scope";
import { watchSight } from "./sight";
import type { GridId, LensState } from "./wire";

interface Traits {
  state: LensState;
}

const GRIDS: readonly GridId[] = ["metrics", "system"];
const ZOOM_STEP = 2;
const FAR = 10;

/** What the pointer and the keys do on the charts of a display. It draws over them and leaves them as they are. */
function attach(root: HTMLElement, host: HTMLElement, scope: Scope, { model }: RenderProps<Traits>): void {
  const { signal } = scope;
  const readout = new Readout(model.widget_manager);
  const isGone = () => kernelIsGone(host, model.widget_manager);
  const brush = new Brush(scope, (request) => tell(model, request), isGone);
  scope.onEnd(() => readout.hide());
  const chartOf = (node: EventTarget | null) => chartAt(node, model.get("state"));
  let pointer: { x: number; y: number; node: Element } | null = null;
  let stepped: number | null = null;
  const read = () => {
    const found = pointer && chartOf(pointer.node);
    if (!found || !pointer || brush.isDrawing) readout.hide();
    else readout.read(found, pointer);
  };
  // Once a frame: a pointer moves more often than that.
  let frame = 0;
  const readSoon = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(read);
  };
  scope.onEnd(() => cancelAnimationFrame(frame));
  root.addEventListener(
    "pointermove",
    (event) => {
      brush.move(event.clientX);
      const node = event.target as Element;
      const before = pointer;
      pointer = node.closest(".rw-chart .bqplot") ? { x: event.clientX, y: event.clientY, node } : null;
      if (pointer || before) readSoon();
    },
    { signal },
  );
  root.addEventListener(
    "pointerleave",
    () => {
      pointer = null;
      readSoon();
    },
    { signal },
  );
  root.addEventListener(
    "pointerdown",
    (event) => {
      const found = event.button === 0 ? chartOf(event.target) : null;
      if (!found || event.clientX < found.area.left || event.clientX > found.area.right) return;
      brush.start(found, event.clientX);
      // The stroke goes on outside of the chart, and of the window.
      found.figure.setPointerCapture?.(event.pointerId);
      pointer = null;
      readSoon();
    },
    { signal },
  );
  root.addEventListener("pointerup", () => brush.end(), { signal });
  root.addEventListener("pointercancel", () => brush.cancel(), { signal });
  root.addEventListener(
    "dblclick",
    (event) => {
      const found = chartOf(event.target);
      if (found?.chart.is_zoomed) brush.ask(found, null, null);
    },
    { signal },
  );

  const zoomBy = (found: Found, factor: number) => {
    const [low, high] = found.chart.x;
    const middle = stepped === null ? (low + high) / 2 : xAtPixel(found, stepped, found.chart.x);
    const half = ((high - low) * factor) / 2;
    brush.ask(found, middle - half, middle + half);
  };
  root.addEventListener(
    "keydown",
    (event) => {
      const found =
        chartOf(event.target) ?? (pointer && event.key === "Escape" ? chartOf(pointer.node) : null);
      if (!found || event.ctrlKey || event.metaKey || event.altKey) return;
      const { area, chart } = found;
      if (event.key === "Escape") {
        const wasDrawing = brush.isDrawing;
        brush.cancel();
        readout.hide();
        stepped = null;
        if (!wasDrawing && chart.is_zoomed) brush.ask(found, null, null);
      } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        const by = (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? FAR : 1);
        const from = stepped ?? (by > 0 ? area.left : area.right);
        stepped = readout.read(found, { x: from, y: area.top }, stepped === null ? 0 : by);
      } else if (event.key === "+" || event.key === "=") zoomBy(found, 1 / ZOOM_STEP);
      else if (event.key === "-") zoomBy(found, ZOOM_STEP);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );
  root.addEventListener(
    "focusout",
    (event) => {
      if (!chartOf(event.target)) return;
      stepped = null;
      readout.hide();
    },
    { signal },
  );

  scope.watch(model, ["state"], () => {
    const state = model.get("state");
    brush.hear(state);
    for (const grid of GRIDS) {
      state[grid].forEach(({ name }, place) => {
        const figure = root.querySelector(`.rw-page-${grid} .rw-place-${place} .bqplot`);
        if (!figure) return;
        setAttr(figure, "tabindex", 0);
        setAttr(figure, "role", "application");
        setAttr(figure, "aria-roledescription", "chart");
        setAttr(figure, "aria-label", `${name}: arrow keys read values, plus and minus zoom, Escape resets`);
        setAttr(figure, "data-lm-suppress-shortcuts", "true");
      });
    }
    if (pointer) readSoon();
  });
  watchSight(scope, root, (message) => tell(model, message));
}

function render(props: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const host = props.el;
  const home = el("div", { class: "rw-lens-home" });
  host.append(home);
  scope.onEnd(() => home.remove());
  // A view is rendered before it is put into the page; its size tells when it is there.
  const arrival = new ResizeObserver(() => {
    const root = host.closest<HTMLElement>(".runwidgets");
    if (!root) return;
    arrival.disconnect();
    attach(root, host, scope, props);
  });
  arrival.observe(host);
  scope.onEnd(() => arrival.disconnect());
  return scope.end;
}

export default { render };
