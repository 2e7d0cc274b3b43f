/** Downloads through the kernel's channel, a part at a time. */
import type { Asker } from "./asking";
import { el, setAttr, setText } from "./dom";
import { formatBytes } from "./format";
import type { DownloadReply, DownloadRequest } from "./wire";

/** Gives a file to the browser, which asks its user or puts it among the downloads. */
export function save(parts: Uint8Array<ArrayBuffer>[], name: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
  el("a", { href: url, download: name.split("/").pop() || "file" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 0);
}

export interface Wanted {
  what: DownloadRequest["what"];
  name: string;
  /** What to call it on the disk. */
  saveAs: string;
}

/** A button that downloads what `wanted` says at the click, shows how far that is, and stops it when it is clicked again. */
export function downloadButton(
  asker: Asker,
  signal: AbortSignal,
  wanted: () => Wanted | null,
  say: (trouble: string) => void,
  label = "Download",
) {
  const bar = el("span", { class: "rw-download-bar" });
  const words = el("span", {}, label);
  const node = el("button", { class: "rw-button rw-download", type: "button" }, bar, words);
  let forget: (() => void) | null = null;
  const show = (text: string, share: number) => {
    setText(words, text);
    bar.style.width = `${share * 100}%`;
    setAttr(node, "aria-busy", forget ? "true" : null);
    setAttr(node, "title", forget ? "Stop the download" : null);
  };
  const stop = (trouble = "") => {
    forget?.();
    forget = null;
    show(label, 0);
    say(trouble);
  };
  const begin = ({ what, name, saveAs }: Wanted) => {
    const download = Math.random().toString(36).slice(2);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const next = (start: number) => {
      const request: DownloadRequest = { kind: "download", download, what, name, start };
      forget = asker.ask<DownloadReply>(
        request,
        ({ trouble, end, size }, data) => {
          if (trouble !== null) return stop(trouble);
          parts.push(data);
          if (end < size && end > start) {
            next(end);
            show(`${formatBytes(end)} of ${formatBytes(size)}`, end / size);
            return;
          }
          save(parts, saveAs);
          stop();
        },
        (words) => parts.length === 0 && show(words, 0),
      );
    };
    say("");
    next(0);
    show(label, 0);
  };
  node.addEventListener(
    "click",
    () => {
      if (forget) return stop();
      const now = wanted();
      if (now) begin(now);
    },
    { signal },
  );
  return { node, stop };
}
