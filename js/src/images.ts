import type { RenderProps } from "@anywidget/types";
import { Asker } from "./asking";
import { el, setAttr, setText, show } from "./dom";
import { emptyView } from "./empty";
import { formatMoment, formatNumber } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { watchNear } from "./near";
import { pictureView } from "./picture";
import { numberOf, Pictures } from "./pictures";
import { plainName } from "./plain";
import { Scope } from "./scope";
import { noteView } from "./table";
import { viewerView } from "./viewer";
import type { GalleryState, ImageName } from "./wire";

interface Traits {
  state: GalleryState;
}

/** So many names need no filter. */
const FEW = 8;
/** So many steps stand side by side. */
const BESIDE = 8;
/** An image that may be there at another time is asked for again so often, while it is seen. */
const AGAIN_MS = 5000;

/** Up to `BESIDE` steps from the first to the last, as evenly as may be. */
export function spread(count: number): number[] {
  const many = Math.min(count, BESIDE);
  return Array.from({ length: many }, (_, at) =>
    many === 1 ? 0 : Math.round((at * (count - 1)) / (many - 1)),
  );
}

interface Card extends ItemView<ImageName> {
  see(isSeen: boolean): void;
  again(): void;
  moveTo(index: number): void;
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const { signal } = scope;
  const asker = new Asker(scope, model);
  const pictures = new Pictures(scope, asker);
  const cards = new Map<Element, Card>();
  const viewer = viewerView(scope, asker, pictures, () => model.get("state").names);
  const sight = watchNear(scope, (node, isSeen) => cards.get(node)?.see(isSeen));
  let isTogether = false;

  function cardView(): Card {
    let item: ImageName | null = null;
    let wanted: number | null = null; // null for the latest, whichever that is
    let isSeen = false;
    let isBeside = false;
    let mayPass = false;
    const facts = el("span", { class: "rw-image-facts" });
    const picture = pictureView(pictures, viewer.open, signal, (shot) => {
      mayPass = shot.mayPass;
      setText(facts, shot.logged_at > 0 ? formatMoment(shot.logged_at).slice(11) : "");
      setAttr(facts, "title", shot.logged_at > 0 ? `logged ${formatMoment(shot.logged_at)}` : null);
    });
    const name = el("bdi", { class: "rw-image-name" });
    const slider = el("input", { class: "rw-steps", type: "range", min: 0, step: 1 });
    const number = el("output", { class: "rw-step" });
    const latest = el(
      "button",
      { class: "rw-button rw-latest", type: "button", title: "Follow the latest" },
      "⇥",
    );
    setAttr(latest, "aria-label", "Follow the latest");
    const beside = el("button", { class: "rw-button rw-toggle", type: "button" }, "Side by side");
    const strip = el("div", { class: "rw-beside" });
    const shots = new KeyedList<number>(strip, String, () => {
      const shot = pictureView(pictures, viewer.open, signal);
      const caption = el("figcaption", { class: "rw-caption" });
      return {
        node: el("figure", { class: "rw-figure" }, shot.node, caption),
        patch(index) {
          if (!item) return;
          shot.show(item.name, index);
          setText(caption, `#${formatNumber(index + 1)}`);
        },
        drop: shot.drop,
      };
    });
    const steps = el("div", { class: "rw-step-bar" }, slider, number, latest, beside);
    const node = el(
      "figure",
      { class: "rw-figure rw-card" },
      picture.node,
      strip,
      el("figcaption", { class: "rw-caption" }, name, facts),
      steps,
    );
    const draw = (isAnew = false) => {
      if (!item) return;
      const { count } = item;
      const index = Math.min(wanted ?? count - 1, count - 1);
      setAttr(slider, "max", count - 1);
      if (slider.value !== String(index)) slider.value = String(index);
      setAttr(slider, "aria-valuetext", numberOf(index, count));
      setText(number, numberOf(index, count));
      setAttr(latest, "aria-pressed", String(wanted === null));
      setAttr(beside, "aria-pressed", String(isBeside));
      show(steps, count > 1);
      show(strip, isBeside);
      show(picture.node, !isBeside);
      node.classList.toggle("rw-is-wide", isBeside);
      for (const part of [slider, number, latest]) show(part, !isBeside);
      if (!isSeen) return;
      if (isBeside) shots.update(spread(count));
      else picture.show(item.name, index, isAnew);
    };
    const move = (index: number) => {
      wanted = item && index >= item.count - 1 ? null : index;
      draw();
    };
    slider.addEventListener(
      "input",
      () => {
        const index = Number(slider.value);
        move(index);
        if (isTogether) for (const card of cards.values()) card.moveTo(index);
      },
      { signal },
    );
    latest.addEventListener("click", () => move(Number.MAX_SAFE_INTEGER), { signal });
    beside.addEventListener(
      "click",
      () => {
        isBeside = !isBeside;
        draw();
      },
      { signal },
    );
    const card: Card = {
      node,
      patch(next) {
        item = next;
        const plain = plainName(next.name);
        setText(name, plain);
        setAttr(name, "title", plain);
        setAttr(slider, "aria-label", `Step of ${plain}`);
        setAttr(beside, "aria-label", `Steps of ${plain} side by side`);
        draw();
      },
      drop() {
        sight.unobserve(node);
        cards.delete(node);
        picture.drop();
        shots.clear();
      },
      see(now) {
        isSeen = now;
        draw();
      },
      again: () => isSeen && mayPass && draw(true),
      moveTo: move,
    };
    cards.set(node, card);
    sight.observe(node);
    return card;
  }

  const input = el("input", {
    class: "rw-filter",
    type: "search",
    placeholder: "Filter names",
    "aria-label": "Filter names of images",
    autocomplete: "off",
    spellcheck: "false",
  });
  const together = el("button", { class: "rw-button rw-toggle", type: "button" }, "Move together");
  setAttr(together, "title", "One slider moves all: the same step of each name");
  const summary = el("span", { class: "rw-muted" });
  const bar = el("div", { class: "rw-toolbar" }, input, together, summary);
  const gallery = el("div", { class: "rw-gallery" });
  const list = new KeyedList<ImageName>(gallery, ({ name }) => name, cardView);
  const more = noteView("rw-more");
  const empty = emptyView("No images yet. They appear here with run.log_image(name, …).", "No images.");
  scope.mount(
    host,
    el("div", { class: "rw-panel rw-images" }, bar, gallery, more.node, empty.node, viewer.node),
  );

  const update = () => {
    const { names, total, total_names } = model.get("state");
    const words = input.value.trim().toLowerCase();
    const matching = names.filter(({ name }) => name.toLowerCase().includes(words));
    list.update(matching);
    show(bar, names.length > 0);
    show(input, names.length > FEW);
    show(together, names.filter(({ count }) => count > 1).length > 1);
    setAttr(together, "aria-pressed", String(isTogether));
    const images = `${formatNumber(total)} ${total === 1 ? "image" : "images"}`;
    setText(
      summary,
      total > total_names
        ? `${images} of ${formatNumber(total_names)} ${total_names === 1 ? "name" : "names"}`
        : images,
    );
    show(gallery, matching.length > 0);
    more.patch(
      names.length < total_names
        ? `showing ${formatNumber(names.length)} of ${formatNumber(total_names)} names`
        : "",
    );
    empty.patch(names.length === 0, names.length > 0 && matching.length === 0 ? "No name matches." : "");
    viewer.refresh();
  };
  input.addEventListener("input", update, { signal });
  together.addEventListener(
    "click",
    () => {
      isTogether = !isTogether;
      update();
    },
    { signal },
  );
  const again = () => {
    pictures.expire();
    for (const card of cards.values()) card.again();
  };
  scope.watch(model, ["state"], () => {
    update();
    again();
  });
  scope.every(AGAIN_MS, () => host.closest("[data-over]") === null && again());
  scope.onEnd(() => list.clear());
  return scope.end;
}

export default { render };
