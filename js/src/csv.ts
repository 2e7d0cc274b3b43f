const SEPARATORS = [",", "\t", ";", "|"];

/** The separator that is most frequent in the first line, outside of quotes. */
function separatorOf(text: string): string {
  const first = (text.split("\n", 1)[0] ?? "").replace(/"[^"]*"/g, "");
  const count = (sign: string) => first.split(sign).length;
  return SEPARATORS.reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

/** The first rows of a CSV or TSV text (RFC 4180: quotes are doubled in quotes, which may hold ends of lines). */
export function readTable(text: string, rowCount: number, columnCount: number): string[][] {
  const separator = separatorOf(text);
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length && rows.length < rowCount) {
    let cell = "";
    if (text[at] === '"') {
      let end = at + 1;
      while (end < text.length && (text[end] !== '"' || text[end + 1] === '"'))
        end += text[end] === '"' ? 2 : 1;
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    }
    let end = at;
    while (end < text.length && text[end] !== separator && text[end] !== "\n") end += 1;
    cell += text.slice(at, end);
    if (row.length < columnCount) row.push(cell);
    if (end >= text.length || text[end] === "\n") {
      rows.push(row);
      row = [];
    } else if (end === text.length - 1) {
      row.push(""); // a separator is the last of all
      rows.push(row);
    }
    at = end + 1;
  }
  return rows;
}
