/** One picture in a frame that opens it at full size; in its place, where there is none, is said why. */
import { el, setAttr, setText, show } from "./dom";
import type { Pictures, Shot } from "./pictures";
import { plainName } from "./plain";

/** After this long without an answer, there will be none. */
const PATIENCE_MS = 15_000;

export function pictureView(
  pictures: Pictures,
  open: (name: string, index: number) => void,
  signal: AbortSignal,
  onShot: (shot: Shot) => void = () => {},
) {
  const image = el("img", { class: "rw-image", decoding: "async", alt: "" });
  const note = el("span", { class: "rw-image-note" });
  const node = el("button", { class: "rw-image-frame", type: "button" }, image, note);
  let at: { name: string; index: number } | null = null;
  let askedAt = 0; // 0 for nothing that is on its way
  let forget = () => {};
  const say = (words: string, isPicture: boolean) => {
    setText(note, words);
    show(note, words !== "");
    show(image, isPicture);
    node.classList.toggle("rw-is-note", !isPicture && words !== "");
  };
  image.addEventListener(
    "error",
    () => image.getAttribute("src") && say("The image cannot be read.", false),
    { signal },
  );
  // The picture before stays until there is another, so that nothing flickers on the way from step to step.
  image.addEventListener("load", () => say("", true), { signal });
  node.addEventListener("click", () => at && open(at.name, at.index), { signal });
  say("", false);
  const load = () => {
    const wanted = at;
    if (!wanted) return;
    askedAt = Date.now();
    forget();
    forget = pictures.get(
      wanted.name,
      wanted.index,
      (shot) => {
        askedAt = 0;
        if (shot.url === null) {
          setAttr(image, "src", null);
          say(shot.why, false);
        } else if (image.getAttribute("src") !== shot.url) setAttr(image, "src", shot.url);
        else say("", true);
        onShot(shot);
        if (at !== wanted) load();
      },
      (words) => image.getAttribute("src") === null && say(words || "Loading…", false),
    );
  };
  return {
    node,
    /** Shows a picture, the one that is shown already only if it may have changed. */
    show(name: string, index: number, isAnew = false) {
      if (!isAnew && at?.name === name && at.index === index) return;
      at = { name, index };
      const label = `${plainName(name)} #${index + 1}`;
      setAttr(image, "alt", label);
      setAttr(node, "aria-label", `Open ${label} at full size`);
      // One at a time: who draws a slider over a hundred steps is not to wait for a hundred pictures.
      if (Date.now() - askedAt >= PATIENCE_MS) load();
    },
    drop: () => forget(),
  };
}
