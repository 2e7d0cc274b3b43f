import type { RenderProps } from "@anywidget/types";
import { Asker } from "./asking";
import { el, setAttr, setText, show } from "./dom";
import { emptyView } from "./empty";
import { formatBytes, formatNumber } from "./format";
import { tell } from "./kernel";
import { previewView } from "./preview";
import { Scope } from "./scope";
import { noteView } from "./table";
import { type Folder, linesOf, treeOf } from "./tree";
import { TreeBox } from "./treebox";
import type { FileList, FilesMessage, FilesState } from "./wire";

interface Traits {
  state: FilesState;
  listing: FileList;
}

/** A folder with so few files is open at first, where not too many folders are beside it. */
const FEW_FILES = 20;
const FEW_FOLDERS = 12;
const FILTER_WAIT_MS = 120;

function render({ model, el: host }: RenderProps<Traits>): () => void {
  const scope = new Scope();
  const { signal } = scope;
  const asker = new Asker(scope, model);
  const sizes = new Map<string, number>();
  let seq = 0;
  let asked = -1;
  let tree: Folder = treeOf([]);
  let isStale = false;
  let filter = "";
  let chosen: string | null = null;
  const turned = new Map<string, boolean>();

  const isOpen = (folder: Folder): boolean =>
    turned.get(folder.path) ??
    (filter !== "" || (folder.count <= FEW_FILES && tree.folders.size <= FEW_FOLDERS));
  const choose = (path: string | null) => {
    chosen = path;
    preview.open(path);
    columns.classList.toggle("rw-has-preview", path !== null);
    draw();
  };
  const box = new TreeBox(scope, "Files", (line, how) => {
    if (how === "choose") return choose(line.item.path);
    turned.set(line.item.path, how === "toggle" ? !line.isOpen : how === "open");
    draw();
  });
  const preview = previewView(scope, asker, () => {
    choose(null);
    box.node.focus({ preventScroll: true });
  });
  const input = el("input", {
    class: "rw-filter",
    type: "search",
    placeholder: "Filter files",
    "aria-label": "Filter files",
    autocomplete: "off",
    spellcheck: "false",
  });
  const summary = el("span", { class: "rw-muted", role: "status" });
  const bar = el("div", { class: "rw-toolbar" }, input, summary);
  const columns = el("div", { class: "rw-file-columns" }, box.node, preview.node);
  const more = noteView("rw-more");
  const empty = emptyView("No files yet.", "No files.");
  scope.mount(host, el("div", { class: "rw-panel rw-files" }, bar, columns, more.node, empty.node));

  const draw = () => {
    if (isStale) {
      const words = filter.toLowerCase();
      tree = treeOf(words === "" ? sizes : [...sizes].filter(([path]) => path.toLowerCase().includes(words)));
      isStale = false;
    }
    box.update(linesOf(tree, isOpen), chosen);
    setText(
      summary,
      `${formatNumber(tree.count)} ${tree.count === 1 ? "file" : "files"}, ${formatBytes(tree.size)}`,
    );
  };
  const update = () => {
    const { total, is_open } = model.get("state");
    const isEmpty = sizes.size === 0;
    show(bar, !isEmpty);
    show(columns, !isEmpty && tree.count > 0);
    setAttr(columns, "aria-busy", null);
    const lacks = model.get("state").seq > seq || (total > 0 && isEmpty);
    more.patch(
      !isEmpty && !lacks && total > sizes.size
        ? `showing ${formatNumber(sizes.size)} of ${formatNumber(total)}`
        : "",
    );
    empty.patch(
      total === 0,
      total > 0 && (isEmpty || tree.count === 0) ? (isEmpty ? "Loading…" : "No file matches.") : "",
    );
    if (is_open) draw();
  };
  const wait = scope.delay(FILTER_WAIT_MS, () => {
    filter = input.value.trim();
    turned.clear();
    isStale = true;
    draw();
    update();
  });
  input.addEventListener("input", () => wait.restart(), { signal });

  const take = ({ files }: FileList) => {
    for (const [path, size] of files) sizes.set(path, size);
    isStale = true;
  };
  const receive = (message: FilesMessage) => {
    if (message?.kind !== "files" || message.seq !== seq + 1) return; // of what is missing, the state tells
    seq = message.seq;
    take(message);
    update();
  };
  model.on("msg:custom", receive);
  scope.onEnd(() => model.off("msg:custom", receive));
  scope.watch(model, ["state", "listing"], () => {
    const listing = model.get("listing");
    if (listing.seq > seq) {
      seq = listing.seq;
      take(listing);
    }
    const wanted = model.get("state").seq;
    if (wanted > seq && asked !== wanted) {
      asked = wanted;
      tell(model, { kind: "list" });
    }
    if (isStale) draw();
    update();
  });
  return scope.end;
}

export default { render };
