/**
 * How characters of a log look, by the SGR sequences before them (ECMA-48, 8.3.117; colours by number and by red, green
 * and blue as xterm has them). What becomes a style is made of numbers that were read here, never of the log's own text.
 */

/** A colour: one of the 16 that a theme chooses, or red, green and blue in one number; null for the usual one. */
export type Color = { index: number } | { rgb: number } | null;

export interface Pen {
  readonly fg: Color;
  readonly bg: Color;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
  readonly strike: boolean;
}

export const PLAIN: Pen = {
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  strike: false,
};

/** On a background of the log's own the colours are these, in any theme: who chose both chose them for each other. */
const FIXED = [
  0x000000, 0xcd3131, 0x0b8a3e, 0xc9a400, 0x2472c8, 0xbc3fbc, 0x1295b5, 0xd5d5d5, 0x6b6b6b, 0xf14c4c,
  0x23c06b, 0xf5e04a, 0x3b8eea, 0xd670d6, 0x29b8db, 0xffffff,
];
const LEVELS = [0, 95, 135, 175, 215, 255];
/** Less contrast than this cannot be read. */
const LEAST_CONTRAST = 2;

function byNumber(index: number): Color {
  if (!(index >= 0 && index <= 255)) return null;
  if (index < 16) return { index };
  const grey = 8 + (index - 232) * 10;
  if (index >= 232) return { rgb: (grey << 16) | (grey << 8) | grey };
  const [r, g, b] = [36, 6, 1].map((size) => LEVELS[Math.floor((index - 16) / size) % 6] ?? 0);
  return { rgb: ((r ?? 0) << 16) | ((g ?? 0) << 8) | (b ?? 0) };
}

function byParts(parts: number[]): Color {
  if (parts.length < 3 || parts.some((part) => !(part >= 0 && part <= 255))) return null;
  const [r = 0, g = 0, b = 0] = parts;
  return { rgb: (r << 16) | (g << 8) | b };
}

/** Reads a colour that follows a 38 or 48, and says how many parameters it took. */
function extended(codes: string[], at: number): [Color, number] {
  const parts = (codes[at] ?? "").split(":");
  if (parts.length > 1) {
    const numbers = parts.slice(2).map(Number);
    // 38:2:r:g:b, or with the name of a colour space before red.
    return [
      parts[1] === "5" ? byNumber(numbers[0] ?? -1) : byParts(numbers.slice(numbers.length > 3 ? 1 : 0)),
      0,
    ];
  }
  if (codes[at + 1] === "5") return [byNumber(Number(codes[at + 2] || 0)), 2];
  if (codes[at + 1] === "2") return [byParts([2, 3, 4].map((i) => Number(codes[at + i] || 0))), 4];
  return [null, 1];
}

const SWITCHES: Record<number, Partial<Pen>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { fg: null },
  49: { bg: null },
};

/** The pen after an SGR sequence with these parameters; what is unknown in them changes nothing. */
export function repenned(pen: Pen, parameters: string): Pen {
  if (/[^\d:;]/.test(parameters)) return pen; // private to some terminal
  const codes = parameters.split(";");
  let next = pen;
  for (let at = 0; at < codes.length; at += 1) {
    const code = Number.parseInt(codes[at] || "0", 10);
    if (code === 0) next = PLAIN;
    else if (code === 38 || code === 48) {
      const [color, taken] = extended(codes, at);
      next = { ...next, [code === 38 ? "fg" : "bg"]: color };
      at += taken;
    } else if (codes[at] === "4:0") next = { ...next, underline: false };
    else if (code >= 30 && code <= 37) next = { ...next, fg: { index: code - 30 } };
    else if (code >= 40 && code <= 47) next = { ...next, bg: { index: code - 40 } };
    else if (code >= 90 && code <= 97) next = { ...next, fg: { index: code - 82 } };
    else if (code >= 100 && code <= 107) next = { ...next, bg: { index: code - 92 } };
    else next = { ...next, ...SWITCHES[code] };
  }
  return next;
}

const fixed = (color: NonNullable<Color>): number => ("rgb" in color ? color.rgb : (FIXED[color.index] ?? 0));

const css = (rgb: number): string => `#${rgb.toString(16).padStart(6, "0")}`;

/** Relative luminance, by WCAG 2.2. */
function luminance(rgb: number): number {
  const [r = 0, g = 0, b = 0] = [rgb >> 16, (rgb >> 8) & 255, rgb & 255].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: number, b: number): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Text on a background: in its own colour where that can be read, else in black or white. */
function onBackground(bg: number, fg: number | null): number {
  if (fg !== null && contrast(fg, bg) >= LEAST_CONTRAST) return fg;
  return contrast(0xffffff, bg) > contrast(0, bg) ? 0xffffff : 0;
}

/** Makes an element look as a pen writes. */
export function dress(node: HTMLElement, pen: Pen): void {
  const { fg, bg } = pen;
  const style = node.style;
  if (pen.inverse && fg === null && bg === null) node.classList.add("rw-inverse");
  else if (pen.inverse || bg !== null) {
    const [under, over] = pen.inverse ? [fg, bg] : [bg, fg];
    if (under === null) {
      // Inverse, with a background and no colour: the usual colour of text is behind it.
      style.backgroundColor = "var(--rw-fg)";
      style.color = over === null ? "var(--rw-bg)" : css(fixed(over));
    } else {
      style.backgroundColor = css(fixed(under));
      style.color = css(onBackground(fixed(under), over === null ? null : fixed(over)));
    }
  } else if (fg !== null && "index" in fg) style.color = `var(--rw-ansi-${fg.index})`;
  else if (fg !== null) {
    // The stylesheet makes it as dark or as light as the theme needs for it to be read.
    style.setProperty("--rw-ink", css(fg.rgb));
    node.classList.add("rw-ink");
  }
  if (pen.bold) node.classList.add("rw-bold");
  if (pen.dim) node.classList.add("rw-dim");
  if (pen.italic) node.classList.add("rw-italic");
  if (pen.underline) node.classList.add("rw-underline");
  if (pen.strike) node.classList.add("rw-strike");
}
