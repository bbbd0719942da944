/** Tables of text with aligned columns. */
import { stripVTControlCharacters } from "node:util";

export interface TableOptions {
  /** Columns of the terminal: text of the last column is wrapped to fit. By default only where a cell has line breaks. */
  readonly width?: number | undefined;
}

/** The last column is never squeezed below this. */
const LEAST_WIDTH = 24;

/** Rows under `head`; columns named in `right` are aligned to the right. Colours in cells do not count as width. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
  { width }: TableOptions = {},
): string {
  const last = head.length - 1;
  const before = head
    .slice(0, last)
    .map((cell, column) =>
      Math.max(...[cell, ...rows.map((row) => row[column] ?? "")].map(widthOf)),
    );
  const room =
    width === undefined
      ? Infinity
      : Math.max(LEAST_WIDTH, width - before.reduce((sum, one) => sum + one + 2, 0));
  const broken = rows.map((row) => wrapText(row[last] ?? "", room));
  const widths = [...before, Math.max(...[head[last] ?? "", ...broken.flat()].map(widthOf))];
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const padding = " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell)));
        return right.includes(column) ? padding + cell : cell + padding;
      })
      .join("  ")
      .trimEnd();
  const lines = rows.flatMap((row, i) =>
    (broken[i] ?? [""]).map((text, part) =>
      line(head.map((_, column) => (column === last ? text : part > 0 ? "" : (row[column] ?? "")))),
    ),
  );
  return [line(head), widths.map((one) => "─".repeat(one)).join("  "), ...lines].join("\n");
}

/** Lines of at most `width` characters, broken at spaces; longer words stand alone. */
export function wrapText(text: string, width: number): readonly string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let current = "";
    for (const word of paragraph.split(" ")) {
      const longer = current === "" ? word : `${current} ${word}`;
      if (current !== "" && widthOf(longer) > width) {
        lines.push(current);
        current = word;
      } else current = longer;
    }
    return [...lines, current];
  });
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}
