import { setAttr, svg } from "./dom";

const WIDTH = 84;
const HEIGHT = 18;
/** Keeps the stroke and the dots inside the picture. */
const PAD = 2;

/** Path data for the heights of a sparkline: lines broken where a value is missing, dots where one stands alone. */
export function sparkPaths(heights: readonly (number | null)[]): { line: string; dots: string } {
  const step = heights.length > 1 ? (WIDTH - 2 * PAD) / (heights.length - 1) : 0;
  let line = "";
  let dots = "";
  heights.forEach((height, index) => {
    if (height === null) return;
    const x = heights.length > 1 ? PAD + index * step : WIDTH / 2;
    const y = PAD + (1 - height / 100) * (HEIGHT - 2 * PAD);
    const point = `${x.toFixed(1)},${y.toFixed(1)}`;
    const joined = (heights[index - 1] ?? null) !== null;
    const joins = (heights[index + 1] ?? null) !== null;
    if (joined || joins) line += `${joined ? "L" : "M"}${point}`;
    // A line of no length with round ends is drawn as a dot.
    else dots += `M${point}h0`;
  });
  return { line, dots };
}

/** Gives what redraws the sparkline inside `cell`. */
export function sparkCell(cell: HTMLElement): (heights: readonly (number | null)[]) => void {
  const line = svg("path", { class: "rw-spark-line" });
  const dots = svg("path", { class: "rw-spark-dots" });
  // Hidden from screen readers: the numbers beside it say what can be said.
  cell.append(
    svg("svg", { class: "rw-spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" }, line, dots),
  );
  return (heights) => {
    const paths = sparkPaths(heights);
    setAttr(line, "d", paths.line || null);
    setAttr(dots, "d", paths.dots || null);
  };
}
