/** Tables as data, rendered as HTML and as Markdown, so that both say the same. */
import { html, type Html } from "./html.js";
import { seriesColour } from "./page-frame.js";

export interface CellContent {
  readonly text: string;
  /** A second, softer line: of a mean its interval. */
  readonly sub?: string;
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
  /** Columns of words rather than numbers; the first one always is. */
  readonly words?: readonly number[];
}

export function contentOf(cell: Cell): CellContent {
  return typeof cell === "string" ? { text: cell } : cell;
}

/** With headers of columns and rows, in a region that scrolls by keyboard where it is too wide. */
export function htmlTable({ caption, head, rows, words = [] }: ReportTable): Html {
  const side = (column: number): string => (words.includes(column) ? "words" : "");
  return html`<div class="card" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((text, i) => html`<th scope="col" class="${side(i)}">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map((cell, i) =>
                i === 0
                  ? html`<th scope="row">${htmlCell(cell)}</th>`
                  : html`<td class="${side(i)} ${contentOf(cell).tone ?? ""}">
                      ${htmlCell(cell)}
                    </td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function htmlCell(cell: Cell): Html {
  const { text, sub, series, href } = contentOf(cell);
  const main = href === undefined ? text : html`<a href="${href}">${text}</a>`;
  return html`${series === undefined ? "" : methodMark(series)}${main}${sub ? html`<small>${sub}</small>` : ""}`;
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
  const { text, sub, tone, href } = contentOf(cell);
  const shown = href === undefined ? escapeMarkdown(text) : `[${escapeMarkdown(text)}](${href})`;
  const main = tone === "good" || tone === "bad" ? `**${shown}**` : shown;
  return sub ? `${main} (${escapeMarkdown(sub)})` : main;
}

/** Text that shows as it is: in a table, a list or a paragraph. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>|#~]/g, (character) => `\\${character}`).replace(/\r?\n/g, " ");
}
