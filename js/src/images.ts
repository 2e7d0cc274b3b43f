import type { RenderProps } from "@anywidget/types";
import { el, setAttr, setText, show } from "./dom";
import { emptyView } from "./empty";
import { formatBytes, formatMoment, formatNumber } from "./format";
import { type ItemView, KeyedList } from "./keyed";
import { Scope } from "./scope";
import { noteView } from "./table";
import type { ImageItem, ImagesState } from "./wire";

interface Traits {
  state: ImagesState;
  data: Record<string, DataView>;
}

/** Pixels only: an SVG or HTML file may carry scripts and load what it likes. */
const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"]);

const labelOf = ({ name, number }: ImageItem): string => (number === null ? name : `${name} #${number}`);

function sameBytes(a: DataView, b: DataView): boolean {
  if (a === b) return true;
  if (a.byteLength !== b.byteLength) return false;
  for (let i = 0; i < a.byteLength; i += 1) if (a.getUint8(i) !== b.getUint8(i)) return false;
  return true;
}

/** An object URL for bytes that change rarely but arrive anew, equal, with every state. */
class Picture {
  url: string | null = null;
  #bytes: DataView | undefined;
  #mime = "";

  /** Whether the URL became another. */
  hold(bytes: DataView | undefined, mime: string): boolean {
    if (bytes && this.#bytes && mime === this.#mime && sameBytes(bytes, this.#bytes)) return false;
    const had = this.url;
    this.free();
    if (!bytes) return had !== null;
    this.#bytes = bytes;
    this.#mime = mime;
    // Whatever the sender said, a Blob of this type is decoded as a picture or not at all.
    this.url = URL.createObjectURL(new Blob([bytes as DataView<ArrayBuffer>], { type: mime }));
    return true;
  }

  free(): void {
    if (this.url !== null) URL.revokeObjectURL(this.url);
    this.url = null;
    this.#bytes = undefined;
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

function imageView(
  read: (path: string) => DataView | undefined,
  open: (url: string, name: string) => void,
  signal: AbortSignal,
): ItemView<ImageItem> {
  const picture = new Picture();
  const image = el("img", { class: "rw-image", loading: "lazy", decoding: "async", alt: "" });
  const frame = el("button", { class: "rw-image-frame", type: "button" }, image);
  const note = el("p", { class: "rw-image-note" });
  const name = el("span", { class: "rw-image-name" });
  const facts = el("span", { class: "rw-image-facts" });
  const node = el(
    "figure",
    { class: "rw-figure" },
    frame,
    note,
    el("figcaption", { class: "rw-caption" }, name, facts),
  );
  let broken = false;
  let item: ImageItem | undefined;

  const refresh = () => {
    if (!item) return;
    const allowed = SHOWN.has(item.mime);
    const bytes = allowed && item.note === null ? read(item.path) : undefined;
    if (picture.hold(bytes, item.mime)) {
      broken = false;
      setAttr(image, "src", picture.url);
    }
    let why = item.note;
    if (why === null && !allowed) why = `Images of type ${item.mime || "unknown"} are not shown.`;
    if (why === null && broken) why = "The image cannot be read.";
    if (why === null && !bytes) why = "Loading…";
    setText(note, why ?? "");
    show(note, why !== null);
    show(frame, why === null);
  };
  image.addEventListener(
    "error",
    () => {
      broken = picture.url !== null;
      refresh();
    },
    { signal },
  );
  frame.addEventListener("click", () => picture.url && item && open(picture.url, labelOf(item)), { signal });

  return {
    node,
    patch(next) {
      item = next;
      const label = labelOf(next);
      setAttr(image, "alt", label);
      setAttr(frame, "aria-label", `Open ${label} at full size`);
      setText(name, label);
      setAttr(name, "title", `${label}\n${next.path}`);
      setText(facts, formatMoment(next.logged_at).slice(11));
      setAttr(facts, "title", `logged ${formatMoment(next.logged_at)}, ${formatBytes(next.size)}`);
      refresh();
    },
    drop: () => picture.free(),
  };
}

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const viewer = viewerView(scope.signal);
  const gallery = el("div", { class: "rw-gallery" });
  const list = new KeyedList<ImageItem>(
    gallery,
    ({ path }) => path,
    () => imageView((path) => model.get("data")[path], viewer.open, scope.signal),
  );
  const more = noteView("rw-more");
  const empty = emptyView("No images yet.", "No images.");
  scope.mount(host, el("div", { class: "rw-panel rw-images" }, gallery, more.node, empty.node, viewer.node));
  scope.watch(model, ["state", "data"], () => {
    const { images, total } = model.get("state");
    list.update(images);
    show(gallery, images.length > 0);
    const cut = images.length > 0 && total > images.length;
    more.patch(cut ? `showing the newest ${formatNumber(images.length)} of ${formatNumber(total)}` : "");
    empty.patch(images.length === 0);
  });
  scope.onEnd(() => list.clear());
  return scope.end;
}

export default { render };
