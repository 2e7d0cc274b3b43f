import type { InitializeProps, RenderProps } from "@anywidget/types";
import { el, setAttr, setText, show } from "./dom";
import { formatBytes, formatMoment } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { pickerView } from "./picker";
import { Scope } from "./scope";
import { noteView } from "./table";
import type { PictureMessage, Side, SidesControls, SidesState } from "./wire";

interface Traits {
  state: SidesState;
  controls: SidesControls;
}

/** Pixels only: an SVG or HTML file may carry scripts and load what it likes. */
const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"]);
/** So many bytes of images are kept, so that to slide back needs no Python. */
const KEPT_BYTES = 48 * 2 ** 20;
const SLIDE_MS = 60;
/** Smaller images than this are shown as the pixels that they are. */
const TINY = 128;
const PATIENCE_MS = 300;

/** Images as object URLs by key, those that were not used for the longest going first. */
export class Album {
  #pages = new Map<string, { url: string; size: number }>();
  #size = 0;
  readonly #asked = new Set<string>();

  /** The URL of an image; where it is not here, `ask` is called, once. */
  get(key: string, ask: (key: string) => void): string | null {
    const page = this.#pages.get(key);
    if (!page) {
      if (!this.#asked.has(key)) {
        this.#asked.add(key);
        ask(key);
      }
      return null;
    }
    this.#pages.delete(key);
    this.#pages.set(key, page);
    return page.url;
  }

  put({ key, mime }: PictureMessage, bytes: DataView | undefined, used: ReadonlySet<string>): void {
    this.#asked.delete(key);
    if (!bytes || !SHOWN.has(mime) || this.#pages.has(key)) return;
    // Whatever the sender said, a Blob of this type is decoded as a picture or not at all.
    const url = URL.createObjectURL(new Blob([bytes as DataView<ArrayBuffer>], { type: mime }));
    this.#pages.set(key, { url, size: bytes.byteLength });
    this.#size += bytes.byteLength;
    for (const [old, page] of this.#pages) {
      if (this.#size <= KEPT_BYTES) break;
      if (!used.has(old)) this.#drop(old, page);
    }
  }

  clear(): void {
    for (const [key, page] of this.#pages) this.#drop(key, page);
  }

  #drop(key: string, { url, size }: { url: string; size: number }): void {
    URL.revokeObjectURL(url);
    this.#pages.delete(key);
    this.#size -= size;
  }
}

function viewerView(signal: AbortSignal) {
  const image = el("img", { class: "rw-viewer-image", alt: "" });
  const caption = el("span", { class: "rw-viewer-name" });
  const close = el("button", { class: "rw-button", type: "button" }, "Close");
  const node = el(
    "dialog",
    { class: "rw-viewer", "aria-label": "Image at full size" },
    el("div", { class: "rw-viewer-bar" }, caption, close),
    el("div", { class: "rw-viewer-page" }, image),
  );
  close.addEventListener("click", () => node.close(), { signal });
  node.addEventListener("click", (event) => event.target === node && node.close(), { signal });
  return {
    node,
    open(url: string, name: string) {
      setAttr(image, "src", url);
      setAttr(image, "alt", name);
      setText(caption, name);
      if (!node.open) node.showModal();
    },
  };
}

type Viewer = ReturnType<typeof viewerView>;

function sideView(
  urlOf: (key: string) => string | null,
  nameOf: () => string,
  wanted: () => number,
  viewer: Viewer,
  signal: AbortSignal,
): ItemView<Side> {
  const image = el("img", { class: "rw-image", decoding: "async", alt: "" });
  const frame = el("button", { class: "rw-image-frame", type: "button" }, image);
  const note = el("p", { class: "rw-image-note" });
  const name = el("span", { class: "rw-image-name" });
  const facts = el("span", { class: "rw-image-facts" });
  const node = el(
    "figure",
    { class: "rw-figure" },
    el("figcaption", { class: "rw-caption" }, name, facts),
    frame,
    note,
  );
  let side: Side | undefined;
  let broken: string | null = null;
  const refresh = () => {
    if (!side) return;
    const { key, mime, note: why } = side;
    const isShown = key !== null && why === null && SHOWN.has(mime);
    const url = isShown ? urlOf(key) : null;
    // Until the next is here, the one before stays: a slider that blinks shows no change.
    if (url !== null) setAttr(image, "src", url);
    const isLoading = isShown && url === null;
    const said = why ?? (!isShown ? "Images of this type are not shown." : null);
    const isBroken = url !== null && url === broken;
    const hasNone = !image.hasAttribute("src");
    setText(note, said ?? (isBroken ? "The image cannot be read." : "Loading…"));
    show(note, said !== null || isBroken || (isLoading && hasNone));
    show(frame, said === null && !isBroken && !(isLoading && hasNone));
    frame.classList.toggle("rw-stale", isLoading);
  };
  image.addEventListener(
    "error",
    () => {
      broken = image.getAttribute("src");
      refresh();
    },
    { signal },
  );
  image.addEventListener(
    "load",
    // Else its pixels would be washed out.
    () => image.classList.toggle("rw-tiny", Math.max(image.naturalWidth, image.naturalHeight) < TINY),
    { signal },
  );
  frame.addEventListener(
    "click",
    () => {
      const url = image.getAttribute("src");
      if (url && side) viewer.open(url, `${side.label}: ${nameOf()} #${side.number}`);
    },
    { signal },
  );
  return {
    node,
    patch(next) {
      side = next;
      const isLast = next.number < wanted();
      setText(name, next.label);
      setAttr(name, "title", next.label);
      setText(facts, isLast ? `its last, #${next.number}` : `#${next.number}`);
      facts.classList.toggle("rw-warn", isLast);
      const logged =
        next.logged_at === null ? "" : `logged ${formatMoment(next.logged_at)}, ${formatBytes(next.size)}`;
      setAttr(facts, "title", logged || null);
      setAttr(image, "alt", `${next.label}: ${nameOf()} #${next.number}`);
      setAttr(frame, "aria-label", `Open ${nameOf()} #${next.number} of ${next.label} at full size`);
      refresh();
    },
  };
}

function render(
  { model, el: host }: RenderProps<Traits>,
  album: Album,
  changed: Set<() => void>,
): () => void {
  const scope = new Scope();
  const { signal } = scope;
  const set = (change: Partial<SidesControls>) => {
    model.set("controls", { ...model.get("controls"), ...change });
    model.save_changes();
    patience.start();
  };
  const patience = scope.delay(PATIENCE_MS, () => setText(wait, "waiting for Python…"));
  const wait = el("span", { class: "rw-muted", role: "status" });
  const picker = pickerView("image", signal, (name) => set({ name, number: null }));
  const slider = el("input", {
    class: "rw-slider",
    type: "range",
    min: 1,
    step: 1,
    "aria-label": "Number of the image",
  });
  const place = el("output", { class: "rw-slider-value" });
  const field = el("span", { class: "rw-field rw-slider-field" }, el("span", {}, "number"), slider, place);
  let most = 0;
  // At its right end it stays with the newest.
  const slide = scope.delay(SLIDE_MS, () => {
    const number = Number(slider.value);
    set({ number: number >= most ? null : number });
  });
  const showPlace = () => setText(place, `${slider.value} of ${most}`);
  slider.addEventListener(
    "input",
    () => {
      showPlace();
      slide.start();
    },
    { signal },
  );
  const viewer = viewerView(signal);
  const gallery = el("div", { class: "rw-gallery rw-sides-gallery" });
  const list = new KeyedList<Side>(
    gallery,
    ({ id }) => id,
    () =>
      sideView(
        (key) => album.get(key, (wanted) => model.send({ kind: "want", key: wanted })),
        () => model.get("state").name ?? "",
        () => model.get("state").number,
        viewer,
        signal,
      ),
  );
  const trouble = noteView("rw-overlay-trouble");
  const notes = noteView("rw-more");
  const title = el("h4", { class: "rw-compare-title" }, "Images");
  const bar = el("div", { class: "rw-toolbar" }, title, picker.node, field, wait);
  const panel = el(
    "section",
    { class: "rw-panel rw-sides", "aria-label": "Images of the runs" },
    bar,
    trouble.node,
    gallery,
    notes.node,
    viewer.node,
  );
  scope.mount(host, panel);
  const draw = () => {
    const state = model.get("state");
    show(panel, state.names.length > 0 || state.trouble !== null);
    picker.patch(state.names, state.name);
    most = state.most;
    show(field, most > 1);
    setAttr(slider, "max", most);
    if (!slide.waiting) slider.value = String(state.number);
    showPlace();
    trouble.patch(state.trouble === null ? "" : `⚠ ${state.trouble}`);
    notes.patch(state.notes.join(", "));
    list.update(state.sides);
  };
  scope.watch(model, ["state"], () => {
    patience.stop();
    setText(wait, "");
    draw();
  });
  changed.add(draw);
  scope.onEnd(() => changed.delete(draw));
  return scope.end;
}

/** One for each model: the images belong to the model, and its views share them. */
export default () => {
  const album = new Album();
  const changed = new Set<() => void>();
  return {
    initialize({ model }: InitializeProps<Traits>): () => void {
      const hear = (message: unknown, buffers?: DataView[]) => {
        if ((message as { kind?: unknown }).kind !== "picture") return;
        const used = new Set(model.get("state").sides.flatMap(({ key }) => key ?? []));
        album.put(message as PictureMessage, buffers?.[0], used);
        for (const draw of changed) draw();
      };
      model.on("msg:custom", hear);
      return () => {
        model.off("msg:custom", hear);
        album.clear();
      };
    },
    render: (props: RenderProps<Traits>) => render(props, album, changed),
  };
};
