/** A picture at full size, over the page: arrows go from step to step and from name to name, Esc closes. */
import type { Asker } from "./asking";
import { el, setAttr, setText, show } from "./dom";
import { downloadButton } from "./downloads";
import { formatBytes, formatMoment, formatNumber } from "./format";
import { numberOf, type Pictures, type Shot } from "./pictures";
import { plainName } from "./plain";
import type { Scope } from "./scope";
import { noteView } from "./table";
import type { ImageName } from "./wire";

export function viewerView(
  scope: Scope,
  asker: Asker,
  pictures: Pictures,
  names: () => readonly ImageName[],
) {
  const { signal } = scope;
  let at = { name: "", index: 0 };
  let shot: Shot | null = null;
  let isFit = true;
  let forget = () => {};

  const button = (sign: string, label: string, press: () => void) => {
    const made = el(
      "button",
      { class: "rw-button", type: "button", "aria-label": label, title: label },
      sign,
    );
    made.addEventListener("click", press, { signal });
    return made;
  };
  const name = el("bdi", { class: "rw-viewer-name" });
  const number = el("span", { class: "rw-viewer-number", role: "status" });
  const facts = el("span", { class: "rw-viewer-facts" });
  const image = el("img", { class: "rw-viewer-image", alt: "" });
  const note = noteView("rw-viewer-note");
  const trouble = noteView("rw-more rw-trouble");
  const page = el("div", { class: "rw-viewer-page", tabindex: 0 }, image, note.node);
  const back = button("‹", "Previous step", () => step(-1));
  const on = button("›", "Next step", () => step(1));
  const zoom = button("100 %", "Show at its own size", () => setFit(!isFit));
  const download = downloadButton(
    asker,
    signal,
    () => (shot?.path ? { what: "image", name: shot.path, saveAs: shot.path } : null),
    trouble.patch,
  );
  const close = el("button", { class: "rw-button", type: "button" }, "Close");
  const steps = el("span", { class: "rw-viewer-steps" }, back, number, on);
  const node = el(
    "dialog",
    { class: "rw-viewer", "aria-label": "Image at full size" },
    el("div", { class: "rw-viewer-bar" }, name, steps, facts, zoom, download.node, close),
    trouble.node,
    page,
  );
  const setFit = (fit: boolean) => {
    isFit = fit;
    node.classList.toggle("rw-fit", isFit);
    setText(zoom, isFit ? "100 %" : "Fit");
    setAttr(zoom, "aria-label", isFit ? "Show at its own size" : "Fit into the window");
    setAttr(zoom, "title", zoom.getAttribute("aria-label"));
  };
  const countOf = () => names().find((one) => one.name === at.name)?.count ?? at.index + 1;
  const say = (words: string) => {
    note.patch(words);
    show(image, words === "");
  };
  const patch = () => {
    const count = countOf();
    setText(name, plainName(at.name));
    setText(number, numberOf(at.index, count));
    show(steps, count > 1);
    setAttr(back, "aria-disabled", String(at.index === 0));
    setAttr(on, "aria-disabled", String(at.index >= count - 1));
  };
  const load = () => {
    patch();
    forget();
    shot = null;
    forget = pictures.get(
      at.name,
      at.index,
      (found) => {
        shot = found;
        say(found.why);
        setAttr(image, "src", found.url);
        setAttr(image, "alt", `${plainName(at.name)} #${at.index + 1}`);
        const size = found.width > 0 ? `${formatNumber(found.width)} × ${formatNumber(found.height)}` : "";
        setText(facts, [size, formatBytes(found.size)].filter(Boolean).join(", "));
        setAttr(facts, "title", `${plainName(found.path)}\nlogged ${formatMoment(found.logged_at)}`);
        show(zoom, found.url !== null);
      },
      (words) => words !== "" && say(words),
    );
  };
  const step = (by: number) => {
    const index = Math.max(0, Math.min(countOf() - 1, at.index + by));
    if (index === at.index) return;
    at = { ...at, index };
    load();
  };
  const walk = (by: number) => {
    const all = names();
    const next = all[all.findIndex((one) => one.name === at.name) + by];
    if (!next) return;
    // The same step of the next, where it has that: it is compared.
    at = { name: next.name, index: Math.min(at.index, next.count - 1) };
    load();
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    ArrowUp: () => walk(-1),
    ArrowDown: () => walk(1),
    Home: () => step(-at.index),
    End: () => step(countOf()),
  };
  node.addEventListener(
    "keydown",
    (event) => {
      const isScrolled = !isFit && event.target === page && page.scrollHeight > page.clientHeight;
      const press = keys[event.key];
      if (!press || isScrolled || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      press();
    },
    { signal },
  );
  image.addEventListener("error", () => image.getAttribute("src") && say("The image cannot be read."), {
    signal,
  });
  image.addEventListener("click", () => setFit(!isFit), { signal });
  close.addEventListener("click", () => node.close(), { signal });
  node.addEventListener("click", (event) => event.target === node && node.close(), { signal });
  node.addEventListener("close", () => download.stop(), { signal });
  scope.onEnd(() => forget());
  setFit(true);
  return {
    node,
    open(wanted: string, index: number) {
      at = { name: wanted, index };
      setAttr(image, "src", null);
      load();
      if (!node.open) node.showModal();
    },
    /** There may be more steps. */
    refresh: () => node.open && patch(),
  };
}
