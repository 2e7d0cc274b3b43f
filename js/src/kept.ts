/** A text among a run's files that is read when somebody opens it. */
import type { Asker } from "./asking";
import { diffLines } from "./diff";
import { el, setAttr, setText, show } from "./dom";
import { downloadButton } from "./downloads";
import { formatBytes } from "./format";
import { plainText } from "./plain";
import type { Scope } from "./scope";
import { noteView } from "./table";
import type { KeptText, PreviewReply, PreviewRequest } from "./wire";

export function keptView(scope: Scope, asker: Asker, title: string) {
  let kept: KeptText | null = null;
  let shown = "";
  const size = el("span", { class: "rw-count" });
  const note = noteView("rw-more");
  const body = el("div", { class: "rw-kept-body" });
  const download = downloadButton(
    asker,
    scope.signal,
    () => kept && { what: "file", name: kept.path, saveAs: kept.path },
    note.patch,
  );
  const node = el(
    "details",
    { class: "rw-kept" },
    el("summary", {}, title, size),
    download.node,
    note.node,
    body,
  );
  const load = () => {
    const key = JSON.stringify(kept);
    if (!node.open || kept === null || shown === key) return;
    shown = key;
    asker.ask<PreviewReply>(
      { kind: "preview", path: kept.path } satisfies PreviewRequest,
      (reply, data) => {
        if (reply.trouble !== null) {
          shown = "";
          return note.patch(reply.trouble);
        }
        const text = plainText(new TextDecoder(reply.encoding || "utf-8").decode(data));
        const lines = reply.shown === "diff" ? diffLines(text) : [text];
        body.replaceChildren(
          el("pre", { class: "rw-preview-text", tabindex: 0, "aria-label": title }, ...lines),
        );
        note.patch(
          reply.is_cut ? `the first ${formatBytes(data.byteLength)} of ${formatBytes(reply.size)}` : "",
        );
      },
      note.patch,
    );
  };
  node.addEventListener("toggle", load, { signal: scope.signal });
  return {
    node,
    patch(next: KeptText | null) {
      kept = next;
      show(node, kept !== null);
      setText(size, kept ? formatBytes(kept.size) : "");
      setAttr(node, "title", null);
      load();
    },
  };
}
