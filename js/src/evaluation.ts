import type { RenderProps } from "@anywidget/types";
import { confusionView } from "./confusion";
import { curvesView } from "./curves";
import { el, setAttr, setText, show } from "./dom";
import { emptyView } from "./empty";
import { formatMoment, formatNumber } from "./format";
import { kernelIsGone, tell } from "./kernel";
import { type ItemView, KeyedList } from "./keyed";
import { predictionsView, residualsView } from "./regression";
import { Scope } from "./scope";
import { whenSeen } from "./seen";
import { noteView } from "./table";
import type { Evaluation, EvaluationState, Figure, FigureMessage, FigureRequest } from "./wire";

interface Traits {
  state: EvaluationState;
}

/** What draws a figure of one kind. */
interface FigureView<F> {
  node: HTMLElement;
  patch(figure: F): void;
  /** In a few words, for the card's head. */
  facts(figure: F): string;
  /** Whether it needs the whole width. */
  isWide(figure: F): boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: a view is given figures of its own kind alone.
const VIEWS: Record<Evaluation["kind"], (scope: Scope) => FigureView<any>> = {
  accuracy_table: curvesView,
  confusion_matrix: confusionView,
  residuals: residualsView,
  predictions: predictionsView,
};
const KINDS: Record<Evaluation["kind"], string> = {
  accuracy_table: "accuracy table",
  confusion_matrix: "confusion matrix",
  residuals: "residuals",
  predictions: "predictions",
};
const SLIDE_MS = 60;
const PATIENCE_MS = 700;
const MAX_KEPT = 64;

/** The figures that Python has answered with, and those that it was asked for. */
class Figures {
  readonly #known = new Map<string, FigureMessage>();
  readonly #asked = new Set<string>();
  readonly #send: (request: FigureRequest) => void;

  constructor(send: (request: FigureRequest) => void) {
    this.#send = send;
  }

  get(path: string): Figure | undefined {
    return this.#known.get(path)?.figure;
  }

  ask(path: string): void {
    if (this.#known.get(path)?.is_final || this.#asked.has(path)) return;
    this.#asked.add(path);
    this.#send({ kind: "figure", path });
  }

  receive(message: FigureMessage): void {
    this.#asked.delete(message.path);
    this.#known.delete(message.path);
    this.#known.set(message.path, message);
    for (const path of this.#known.keys()) {
      if (this.#known.size <= MAX_KEPT) break;
      this.#known.delete(path);
    }
  }

  /** What was asked for may have been lost with a kernel. */
  forget(): void {
    this.#asked.clear();
  }
}

interface CardView extends ItemView<Evaluation> {
  /** A figure has come. */
  refresh(): void;
}

function cardView(
  figures: Figures,
  kind: Evaluation["kind"],
  isGone: () => boolean,
  ended: (view: CardView) => void,
): CardView {
  const scope = new Scope();
  const view = VIEWS[kind](scope);
  const title = el("h4", { class: "rw-card-title" });
  const facts = el("span", { class: "rw-muted" });
  const slider = el("input", { class: "rw-slider", type: "range", min: 0, step: 1 });
  const which = el("output", { class: "rw-slider-word rw-muted" });
  const slide = el("label", { class: "rw-slide" }, slider, which);
  const trouble = el("p", { class: "rw-figure-trouble", role: "status" });
  const note = noteView("rw-more");
  const head = el("div", { class: "rw-card-head" }, title, facts, slide);
  const node = el("section", { class: "rw-card rw-card-yet" }, head, trouble, view.node, note.node);
  let item: Evaluation | undefined;
  /** The document that was chosen; null for the latest. */
  let chosen: string | null = null;
  let drawn: Figure | undefined;
  let isSeen = false;
  let isLate = false;

  const at = (): number => {
    const logged = item?.logged ?? [];
    const found = logged.findIndex(({ path }) => path === chosen);
    return found < 0 ? logged.length - 1 : found;
  };
  const patience = scope.delay(PATIENCE_MS, () => {
    isLate = true;
    refresh();
  });
  const ask = () => {
    const path = item?.logged[at()]?.path;
    if (!isSeen || path === undefined) return;
    figures.ask(path);
    if (!figures.get(path)) patience.start();
  };
  const wait = scope.delay(SLIDE_MS, () => {
    ask();
    refresh();
  });
  slider.addEventListener(
    "input",
    () => {
      const logged = item?.logged ?? [];
      const place = Number(slider.value);
      chosen = place >= logged.length - 1 ? null : (logged[place]?.path ?? null);
      name();
      wait.restart();
    },
    { signal: scope.signal },
  );

  function name(): void {
    if (!item) return;
    const { logged, first } = item;
    const place = at();
    const number = `${formatNumber(first + place)} of ${formatNumber(first + logged.length - 1)}`;
    const moment = formatMoment(logged[place]?.logged_at ?? 0);
    setText(which, `${number} · ${moment.slice(11)}`);
    setAttr(which, "title", `logged ${moment}`);
    setAttr(slider, "aria-label", `Which ${KINDS[item.kind]} of ${item.name}`);
    setAttr(slider, "aria-valuetext", `${number}, logged ${moment}`);
  }

  function refresh(): void {
    const figure = figures.get(item?.logged[at()]?.path ?? "");
    if (figure && figure === drawn) return;
    drawn = figure ?? drawn;
    if (figure) {
      patience.stop();
      isLate = false;
      setText(trouble, figure.kind === "refused" ? figure.note : "");
      show(view.node, figure.kind !== "refused");
      if (figure.kind === "refused") note.patch("");
      else {
        view.patch(figure);
        setText(facts, `${KINDS[kind]} · ${view.facts(figure)}`);
        node.classList.toggle("rw-card-wide", view.isWide(figure));
        note.patch(figure.note ?? "");
      }
      node.classList.remove("rw-card-yet");
    } else {
      const late = isGone()
        ? "The kernel is gone: it cannot be loaded."
        : "Python is busy. It comes when there is time.";
      setText(trouble, isLate ? late : node.classList.contains("rw-card-yet") ? "Loading…" : "");
    }
    show(trouble, trouble.textContent !== "");
  }
  whenSeen(scope, node, () => {
    isSeen = true;
    ask();
  });
  const card: CardView = {
    node,
    patch(next) {
      item = next;
      setText(title, next.name);
      setAttr(title, "title", next.name);
      if (facts.textContent === "") setText(facts, KINDS[next.kind]);
      setAttr(slider, "max", next.logged.length - 1);
      if (slider.value !== String(at())) slider.value = String(at());
      show(slide, next.logged.length > 1);
      name();
      ask();
      refresh();
    },
    refresh,
    drop() {
      scope.end();
      ended(card);
    },
  };
  return card;
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const figures = new Figures((request) => tell(model, request));
  const cards = new Set<CardView>();
  const isGone = () => kernelIsGone(host, model.widget_manager);
  const gallery = el("div", { class: "rw-cards" });
  const list = new KeyedList<Evaluation>(
    gallery,
    ({ name, kind }) => `${kind} ${name}`,
    ({ kind }) => {
      const card = cardView(figures, kind, isGone, (one) => cards.delete(one));
      cards.add(card);
      return card;
    },
  );
  const more = noteView("rw-more");
  const empty = emptyView("Nothing to evaluate yet.", "Nothing to evaluate.");
  scope.mount(host, el("div", { class: "rw-panel rw-evaluation" }, gallery, more.node, empty.node));
  const receive = (message: FigureMessage) => {
    if (message?.kind !== "figure") return;
    figures.receive(message);
    for (const card of cards) card.refresh();
  };
  model.on("msg:custom", receive);
  scope.onEnd(() => model.off("msg:custom", receive));
  scope.watch(model, ["state"], () => {
    const { documents, total } = model.get("state");
    figures.forget();
    list.update(documents);
    show(gallery, documents.length > 0);
    const cut = total > documents.length;
    more.patch(cut ? `showing ${formatNumber(documents.length)} of ${formatNumber(total)}` : "");
    empty.patch(documents.length === 0);
  });
  scope.onEnd(() => list.clear());
  return scope.end;
}

export default { render };
