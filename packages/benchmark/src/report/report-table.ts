/** Tables as data, rendered as HTML and as Markdown, so that both say the same. */
import { html, type Html } from "./html.js";
import { seriesColour } from "./page-frame.js";

export interface CellContent {
  readonly text: string;
  /** A second, softer line: of a mean its interval. */
  readonly below?: string;
  readonly tone?: "good" | "bad" | "soft";
  /** Where the text leads, followed only when the reader asks for it. */
  readonly href?: string;
  /** Place of the method whose colour stands before the text. */
  readonly series?: number;
}

export type Cell = string | CellContent;

export interface ReportTable {
  /** What it shows, for those who do not see where it stands. */
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** On a phone each row becomes a block with its cells below one another, rather than a line that must be scrolled. */
  readonly stack?: boolean;
  /** Columns of words rather than numbers; the first one always is. */
  readonly words?: readonly number[];
}

export function contentOf(cell: Cell): CellContent {
  return typeof cell === "string" ? { text: cell } : cell;
}

/** With headers of columns and rows. On a phone it scrolls, also by keyboard, or its rows become blocks. */
export function htmlTable({ caption, head, rows, words = [], stack }: ReportTable): Html {
  const side = (column: number): string => (words.includes(column) ? "words" : "");
  // Roles are said, for browsers drop those of table elements that are laid out as blocks.
  const table = html`<table role="table" aria-label="${caption}" class="${stack ? "stack" : ""}">
    <thead role="rowgroup">
      <tr role="row">
        ${head.map(
          (text, i) => html`<th role="columnheader" scope="col" class="${side(i)}">${text}</th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (cells) =>
          html`<tr role="row">
            ${cells.map((cell, i) =>
              i === 0
                ? html`<th role="rowheader" scope="row">${htmlCell(cell)}</th>`
                : html`<td
                    role="cell"
                    data-label="${head[i] ?? ""}"
                    class="${side(i)} ${contentOf(cell).tone ?? ""}"
                  >
                    <div>${htmlCell(cell)}</div>
                  </td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`;
  return tableCard(html`${caption}`, caption, table);
}

/** A card with a heading above what may scroll. */
export function tableCard(heading: Html, label: string, table: Html): Html {
  return html`<figure class="card">
    <figcaption>${heading}</figcaption>
    <div class="scroll" tabindex="0" role="region" aria-label="${label}">${table}</div>
  </figure>`;
}

function htmlCell(cell: Cell): Html {
  const { text, below, series, href } = contentOf(cell);
  const main = href === undefined ? text : html`<a href="${href}">${text}</a>`;
  return html`${series === undefined ? "" : methodMark(series)}${main}${below ? html`<small>${below}</small>` : ""}`;
}

/** The square of a method's colour. */
export function methodMark(series: number): Html {
  return html`<i style="background:${seriesColour(series)}"></i>`;
}

/** As GitHub renders it; what would be read as markup is escaped. */
export function markdownTable({ head, rows, words = [] }: ReportTable): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 || words.includes(i) ? "---" : "---:"));
  return [
    line(head.map(escapeMarkdown)),
    line(rule),
    ...rows.map((cells) => line(cells.map(markdownCell))),
  ].join("\n");
}

function markdownCell(cell: Cell): string {
  const { text, below, tone, href } = contentOf(cell);
  const shown = href === undefined ? escapeMarkdown(text) : `[${escapeMarkdown(text)}](${href})`;
  const main = tone === "good" || tone === "bad" ? `**${shown}**` : shown;
  return below ? `${main} (${escapeMarkdown(below)})` : main;
}

/** Text that shows as it is: in a table, a list or a paragraph. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>|#~]/g, (character) => `\\${character}`).replace(/\r?\n/g, " ");
}
