/**
 * JSON with a line for each entry. It is never parsed: numbers stay digit by digit as they were written, NaN is no error, and
 * a file that is cut off is shown as far as it goes.
 */
export function indented(text: string): string {
  const out: string[] = [];
  let depth = 0;
  const line = () => out.push("\n", "  ".repeat(Math.max(0, depth)));
  // Strings (the last may have no end), brackets and commas, runs of blanks, and all else.
  const tokens = text.match(/"(?:[^"\\]|\\[\s\S])*(?:"|$)|[{}[\],:]|\s+|[^"{}[\],:\s]+/g) ?? [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as string;
    if (/^\s/.test(token)) continue;
    if (token === "{" || token === "[") {
      let next = at + 1;
      while (/^\s/.test(tokens[next] ?? "")) next += 1;
      const closing = token === "{" ? "}" : "]";
      if (tokens[next] === closing) {
        out.push(token, closing);
        at = next;
        continue;
      }
      depth += 1;
      out.push(token);
      line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      line();
      out.push(token);
    } else if (token === ",") {
      out.push(token);
      line();
    } else out.push(token === ":" ? ": " : token);
  }
  return out.join("");
}
