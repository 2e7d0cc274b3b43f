/** The beginning of a file, shown as what it is, and all of it to download. */
import type { Asker } from "./asking";
import { copyButton } from "./copy";
import { readTable } from "./csv";
import { diffLines } from "./diff";
import { el, setAttr, setText, show } from "./dom";
import { downloadButton } from "./downloads";
import { formatBytes, formatNumber } from "./format";
import { indented } from "./json";
import { plainName, plainText } from "./plain";
import type { Scope } from "./scope";
import { noteView } from "./table";
import type { PreviewReply, PreviewRequest } from "./wire";

const ROWS = 200;
const COLUMNS = 50;

/** Pixels only: an SVG or HTML file may carry scripts and load what it likes. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"]);

function tableOf(text: string): HTMLElement {
  const [head = [], ...rows] = readTable(text, ROWS + 1, COLUMNS);
  const isNumber = head.map((_, at) =>
    rows.every((row) => /^\s*(-?[\d.]+(e[+-]?\d+)?|nan|-?inf(inity)?|)\s*$/i.test(row[at] ?? "")),
  );
  const classOf = (at: number) => (isNumber[at] ? "" : "rw-left");
  return el(
    "div",
    { class: "rw-table-box rw-preview-table", tabindex: 0, role: "region", "aria-label": "Table" },
    el(
      "table",
      { class: "rw-table" },
      el(
        "thead",
        {},
        el("tr", {}, ...head.map((cell, at) => el("th", { scope: "col", class: classOf(at) }, cell))),
      ),
      el(
        "tbody",
        {},
        ...rows.map((row) =>
          el(
            "tr",
            {},
            ...head.map((_, at) => el("td", { class: classOf(at), title: row[at] ?? "" }, row[at] ?? "")),
          ),
        ),
      ),
    ),
  );
}

function textOf(content: (string | Node)[], kind = ""): HTMLElement {
  return el("pre", { class: `rw-preview-text ${kind}`, tabindex: 0, "aria-label": "Content" }, ...content);
}

/** What is shown of a file, and what is said of it. */
export function shownOf(
  reply: PreviewReply,
  data: Uint8Array<ArrayBuffer>,
  hold: (url: string) => void,
): [HTMLElement | null, string] {
  const part = reply.is_cut ? `the first ${formatBytes(data.byteLength)} of ${formatBytes(reply.size)}` : "";
  switch (reply.shown) {
    case "empty":
      return [null, "The file is empty."];
    case "binary":
      return [null, "This is not a text: it can be downloaded."];
    case "image": {
      if (reply.note !== null || !PICTURES.has(reply.mime))
        return [null, reply.note ?? "This image is not shown."];
      // Whatever the sender said, a Blob of this type is decoded as a picture or not at all.
      const url = URL.createObjectURL(new Blob([data], { type: reply.mime }));
      hold(url);
      const image = el("img", { class: "rw-preview-image", alt: plainName(reply.path), src: url });
      return [image, `${formatNumber(reply.width)} × ${formatNumber(reply.height)} pixels`];
    }
    default: {
      const text = plainText(new TextDecoder(reply.encoding).decode(data));
      if (reply.shown === "json") return [textOf([indented(text)]), part];
      if (reply.shown === "diff") return [textOf(diffLines(text), "rw-diff"), part];
      if (reply.shown !== "table") return [textOf([text]), part];
      const rows = text.split("\n", ROWS + 3).length > ROWS + 2;
      return [tableOf(text), rows ? `the first ${formatNumber(ROWS)} rows` : part];
    }
  }
}

export function previewView(scope: Scope, asker: Asker, onClose: () => void) {
  let path: string | null = null;
  let url: string | null = null;
  let forget = () => {};
  const name = el("bdi", { class: "rw-preview-name" });
  const close = el(
    "button",
    { class: "rw-button", type: "button", title: "Close", "aria-label": "Close the preview" },
    "×",
  );
  const note = noteView("rw-more rw-preview-note");
  const trouble = noteView("rw-more rw-trouble");
  const body = el("div", { class: "rw-preview-body" });
  const download = downloadButton(
    asker,
    scope.signal,
    () => (path === null ? null : { what: "file", name: path, saveAs: path }),
    trouble.patch,
  );
  const copy = copyButton(scope, () => path ?? "", "Copy path");
  const node = el(
    "section",
    { class: "rw-preview", "aria-label": "Preview" },
    el("div", { class: "rw-preview-bar" }, name, copy, download.node, close),
    trouble.node,
    note.node,
    body,
  );
  const clear = () => {
    forget();
    download.stop();
    if (url !== null) URL.revokeObjectURL(url);
    url = null;
    body.replaceChildren();
    note.patch("");
  };
  const open = (wanted: string | null) => {
    clear();
    path = wanted;
    show(node, path !== null);
    if (path === null) return;
    setText(name, plainName(path));
    setAttr(name, "title", plainName(path));
    forget = asker.ask<PreviewReply>(
      { kind: "preview", path } satisfies PreviewRequest,
      (reply, data) => {
        if (reply.trouble !== null) return note.patch(reply.trouble);
        const [shown, words] = shownOf(reply, data, (made) => {
          url = made;
        });
        note.patch(words);
        if (!shown) return;
        shown.addEventListener("error", () => {
          body.replaceChildren();
          note.patch("The image cannot be read.");
        });
        body.replaceChildren(shown);
      },
      note.patch,
    );
  };
  close.addEventListener("click", () => onClose(), { signal: scope.signal });
  scope.onEnd(clear);
  show(node, false);
  return { node, open };
}
