import type { GridId, LensChart, LensState } from "./wire";

/** Where a chart stands in the page, and what is known of it. */
export interface Found {
  card: HTMLElement;
  figure: HTMLElement;
  /** The area in which lines are drawn, in pixels of the window. */
  area: DOMRect;
  grid: GridId;
  place: number;
  chart: LensChart;
}

export const gridOf = (card: Element): GridId => (card.closest(".rw-page-system") ? "system" : "metrics");

export const placeOf = (card: Element): number => Number(/\brw-place-(\d+)/.exec(card.className)?.[1] ?? -1);

/** The chart around a node; null where there is none, or none that is drawn. */
export function chartAt(node: EventTarget | null, state: LensState): Found | null {
  const figure = node instanceof Element ? node.closest<HTMLElement>(".rw-chart .bqplot") : null;
  const card = figure?.closest<HTMLElement>(".rw-chart");
  const area = figure?.querySelector(".plotarea_background")?.getBoundingClientRect();
  if (!figure || !card || !area || area.width === 0) return null;
  const grid = gridOf(card);
  const place = placeOf(card);
  const chart = state[grid][place];
  return chart ? { card, figure, area, grid, place, chart } : null;
}

const part = (at: number, [low, high]: readonly [number, number]): number => (at - low) / (high - low);

/** The pixel of an x as it is drawn. */
export const pixelOfX = ({ area, chart }: Found, x: number): number =>
  area.left + part(x, chart.drawn_x ?? chart.x) * area.width;

export function pixelOfY({ area, chart }: Found, y: number): number {
  const { y: range, is_log } = chart;
  const at = is_log ? part(Math.log(y), [Math.log(range[0]), Math.log(range[1])]) : part(y, range);
  return area.bottom - at * area.height;
}

/** The x at a pixel, in one of the two ranges of a chart. */
export const xAtPixel = ({ area }: Found, pixel: number, [low, high]: readonly [number, number]): number =>
  low + Math.min(1, Math.max(0, (pixel - area.left) / area.width)) * (high - low);
