import { el, setAttr, setText, show, svg } from "./dom";
import { exactText, formatNumber, NONE } from "./format";
import type { Scope } from "./scope";
import { DataTable, textCell } from "./table";
import { choices } from "./toolbar";
import type { Confusion } from "./wire";

const CELLS = ["counts", "% of row"] as const;
type Cells = (typeof CELLS)[number];

/** More classes than this are drawn as a picture, whose cells have no numbers. */
const MAX_NUMBERED = 30;
/** More than this have their names written upwards. */
const MAX_LEVEL = 6;
const SHADES = 12;
const PICTURE = 560;
const HINT = "On the diagonal is what was right; darker is more. Point at a cell to read it.";

interface ClassRow {
  index: number;
  label: string;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  rows: number;
}

const shareText = (share: number | null): string => {
  if (share === null) return NONE;
  const percent = share * 100;
  return percent === 0 || percent >= 9.95 ? percent.toFixed(0) : percent.toFixed(1);
};

const rateText = (rate: number | null): string => (rate === null ? NONE : rate.toFixed(3));

function rateColumn(title: string, read: (row: ClassRow) => number | null) {
  return {
    id: title,
    title,
    align: "right" as const,
    sortBy: read,
    cell: textCell<ClassRow>((row) => [rateText(read(row)), exactText(read(row))]),
  };
}

/** What is in a cell: its share of its row, and of the largest cell. */
function cellsOf({ matrix, row_totals: totals }: Confusion) {
  const largest = Math.max(0, ...matrix.map((row) => Math.max(0, ...row.map((value) => value ?? 0))));
  const share = (row: number, column: number): number | null => {
    const total = totals[row] ?? 0;
    const value = matrix[row]?.[column] ?? null;
    return value === null || total <= 0 ? null : value / total;
  };
  return {
    share,
    /** How strongly it is coloured, from 0 to 1. */
    strength(row: number, column: number, cells: Cells): number {
      const value =
        cells === "counts" ? (matrix[row]?.[column] ?? 0) / (largest || 1) : (share(row, column) ?? 0);
      // A few mistakes among thousands would else be as white as none.
      return Math.max(0, Math.min(1, value)) ** 0.6;
    },
    words(row: number, column: number, labels: readonly string[]): string {
      const value = matrix[row]?.[column] ?? null;
      const part = share(row, column);
      const count = value === null ? NONE : formatNumber(value);
      const percent = part === null ? "" : `, ${shareText(part)} % of its row`;
      return `true ${labels[row]}, predicted ${labels[column]}: ${count}${percent}`;
    },
  };
}

/** A matrix as a table with numbers. */
function tableOf(figure: Confusion, cells: Cells): HTMLElement {
  const { labels, matrix } = figure;
  const { share, strength, words } = cellsOf(figure);
  const heads = labels.map((label) =>
    el("th", { scope: "col", title: label }, el("span", { class: "rw-matrix-name" }, el("bdi", {}, label))),
  );
  const body = matrix.map((row, r) => {
    const cellsOfRow = row.map((value, c) => {
      const text =
        cells === "counts" ? (value === null ? NONE : formatNumber(value)) : shareText(share(r, c));
      const level = strength(r, c, cells);
      const kind = `rw-cell${r === c ? " rw-cell-hit" : ""}${level > 0.62 ? " rw-cell-strong" : ""}`;
      // Zeros are many, and say nothing that an empty look would not.
      const cell = el(
        "td",
        { class: value === 0 ? `${kind} rw-cell-zero` : kind, title: words(r, c, labels) },
        text,
      );
      cell.style.setProperty("--rw-level", `${Math.round(level * 85)}%`);
      return cell;
    });
    const name = labels[r] ?? "";
    return el("tr", {}, el("th", { scope: "row", title: name }, el("bdi", {}, name)), ...cellsOfRow);
  });
  return el(
    "table",
    { class: `rw-matrix-table${labels.length > MAX_LEVEL ? " rw-matrix-upright" : ""}` },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("td"),
        el("th", { class: "rw-matrix-axis", scope: "colgroup", colspan: labels.length }, "predicted"),
      ),
      el("tr", {}, el("th", { class: "rw-matrix-axis", scope: "col" }, "true"), ...heads),
    ),
    el("tbody", {}, ...body),
  );
}

/** A large matrix as a picture: cells of one shade are one path; what is under the pointer is said below. */
function pictureOf(
  figure: Confusion,
  cells: Cells,
  say: (text: string) => void,
  signal: AbortSignal,
): SVGElement {
  const { labels, matrix } = figure;
  const { strength, words } = cellsOf(figure);
  const size = labels.length;
  const pixels = Math.max(3, Math.min(16, Math.floor(PICTURE / size)));
  const paths = new Map<string, string>();
  matrix.forEach((row, r) => {
    row.forEach((_, c) => {
      const shade = Math.ceil(strength(r, c, cells) * SHADES);
      if (shade === 0) return;
      const key = `${r === c ? "hit" : "miss"} ${shade}`;
      paths.set(key, `${paths.get(key) ?? ""}M${c},${r}h1v1h-1z`);
    });
  });
  const node = svg("svg", {
    class: "rw-matrix-picture",
    width: size * pixels,
    height: size * pixels,
    viewBox: `0 0 ${size} ${size}`,
    role: "img",
    tabindex: 0,
    "aria-label": `Confusion matrix of ${size} classes: rows are true, columns predicted. Arrow keys read its cells.`,
  });
  for (const [key, d] of paths) {
    const [kind, shade] = key.split(" ");
    node.append(svg("path", { class: `rw-cell-${kind}`, d, "fill-opacity": Number(shade) / SHADES }));
  }
  const mark = svg("rect", { class: "rw-matrix-mark", width: 1, height: 1 });
  let at: [number, number] | null = null;
  const point = (row: number, column: number) => {
    at = [Math.max(0, Math.min(size - 1, row)), Math.max(0, Math.min(size - 1, column))];
    setAttr(mark, "x", at[1]);
    setAttr(mark, "y", at[0]);
    node.append(mark);
    say(words(at[0], at[1], labels));
  };
  const leave = () => {
    at = null;
    mark.remove();
    say("");
  };
  node.addEventListener(
    "pointermove",
    (event) => {
      const box = node.getBoundingClientRect();
      const scale = size / (box.width || 1);
      point(Math.floor((event.clientY - box.top) * scale), Math.floor((event.clientX - box.left) * scale));
    },
    { signal },
  );
  node.addEventListener("pointerleave", leave, { signal });
  node.addEventListener("blur", leave, { signal });
  node.addEventListener(
    "keydown",
    (event) => {
      const steps: Record<string, [number, number]> = {
        ArrowUp: [-1, 0],
        ArrowDown: [1, 0],
        ArrowLeft: [0, -1],
        ArrowRight: [0, 1],
      };
      const step = steps[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (at) point(at[0] + step[0], at[1] + step[1]);
      else point(0, 0);
    },
    { signal },
  );
  return node;
}

/** A confusion matrix: counts or shares of rows, and how good each class is. */
export function confusionView(scope: Scope) {
  const box = el("div", {
    class: "rw-matrix",
    tabindex: 0,
    role: "region",
    "aria-label": "Confusion matrix",
  });
  const word = el("p", { class: "rw-matrix-word", "aria-live": "polite" });
  const table = new DataTable<ClassRow>("Classes", ({ index }) => String(index), scope.signal);
  let cells: Cells = "counts";
  let shown: Confusion | undefined;
  const switches = choices("cells", CELLS, scope.signal, (chosen) => {
    cells = chosen;
    draw();
  });
  const node = el(
    "div",
    { class: "rw-confusion" },
    el("div", { class: "rw-figure-bar" }, switches.node),
    el("div", { class: "rw-confusion-parts" }, el("div", { class: "rw-matrix-side" }, box, word), table.node),
  );
  table.setColumns([
    {
      id: "class",
      title: "class",
      align: "left",
      namesRow: true,
      sortBy: (row) => row.label,
      cell: textCell((row) => [row.label, row.label]),
    },
    rateColumn("precision", (row) => row.precision),
    rateColumn("recall", (row) => row.recall),
    rateColumn("F1", (row) => row.f1),
    {
      id: "rows",
      title: "rows",
      align: "right",
      sortBy: (row) => row.rows,
      cell: textCell((row) => [formatNumber(row.rows)]),
    },
  ]);

  function draw(): void {
    if (!shown) return;
    switches.patch(cells);
    const isLarge = shown.labels.length > MAX_NUMBERED;
    node.classList.toggle("rw-confusion-large", isLarge);
    show(word, isLarge);
    const say = (text: string) => setText(word, text || HINT);
    say("");
    box.replaceChildren(isLarge ? pictureOf(shown, cells, say, scope.signal) : tableOf(shown, cells));
  }
  return {
    node,
    patch(figure: Confusion) {
      shown = figure;
      draw();
      table.update(
        figure.labels.map((label, index) => ({
          index,
          label,
          precision: figure.precision[index] ?? null,
          recall: figure.recall[index] ?? null,
          f1: figure.f1[index] ?? null,
          rows: figure.row_totals[index] ?? 0,
        })),
      );
      const isSome = figure.labels.length > 0;
      show(node, isSome);
    },
    facts({ labels, total, accuracy }: Confusion): string {
      if (labels.length === 0) return "no classes";
      const known = accuracy === null ? [] : [`accuracy ${rateText(accuracy)}`];
      return [`${formatNumber(labels.length)} classes`, `${formatNumber(total)} rows`, ...known].join(" · ");
    },
    isWide: ({ labels }: Confusion) => labels.length > 12,
  };
}
