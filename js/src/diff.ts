/** The lines of a diff as git writes it, each with a class that says what it is. */
import { el } from "./dom";

function kindOf(line: string): string {
  if (/^(diff |index |--- |\+\+\+ |new file|deleted file|similarity|rename |old mode|new mode)/.test(line))
    return "rw-diff-head";
  if (line.startsWith("@@")) return "rw-diff-place";
  if (line.startsWith("+")) return "rw-diff-new";
  return line.startsWith("-") ? "rw-diff-old" : "";
}

export function diffLines(text: string): HTMLElement[] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => el("span", { class: `rw-diff-line ${kindOf(line)}` }, `${line}\n`));
}
