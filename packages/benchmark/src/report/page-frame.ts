/** What every page of this project shares: head, style in light and dark, colours of series, charts for two widths. */
import { html, raw, type Html } from "./html.js";

/** Distinguishable on the cards of both schemes; each has a contrast of 3 or more to them. */
const SERIES = {
  light: "#3056d3 #c6521c #1a8a5a #a3318f #7a6a00 #0c7c9e #b3261e #5b5b66",
  dark: "#7d9bff #ff9a62 #4cc995 #e07fd0 #cdb93a #4fc3e8 #ff8279 #a8a8b4",
};

function seriesVariables(colours: string): string {
  return colours
    .split(" ")
    .map((colour, i) => `--series-${i}: ${colour};`)
    .join(" ");
}

const LIGHT = `--ink: #1c1c1e; --soft: #5f5f67; --line: #e4e4ea; --good: #1a7f37; --bad: #b3261e; --page: #fbfbfd; --card: #fff; ${seriesVariables(SERIES.light)}`;
const DARK = `--ink: #ececf1; --soft: #a2a2ad; --line: #34343c; --good: #57c878; --bad: #ff8279; --page: #141417; --card: #1d1d22; ${seriesVariables(SERIES.dark)}`;

/** The variables of both schemes, for pages and for pictures that stand alone; paper is light. */
export const COLOUR_STYLE = `:root { color-scheme: light dark; ${LIGHT} }
@media screen and (prefers-color-scheme: dark) { :root { ${DARK} } }`;

const STYLE = `${COLOUR_STYLE}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 920px; margin: 0 auto; padding: 40px 20px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.02em; overflow-wrap: anywhere; } h2 { font-size: 20px; margin: 44px 0 8px; }
p { margin: 6px 0 14px; max-width: 68ch; } .soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 7px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; } th:first-child, td:first-child { text-align: left; }
tr:last-child > * { border-bottom: 0; } thead tr:last-child > * { border-bottom: 1px solid var(--line); } th { font-weight: 600; color: var(--soft); font-size: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px; overflow-x: auto; }
pre { margin: 6px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; line-height: 1.45; }
code { font-size: .92em; overflow-wrap: anywhere; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-bottom: 10px; font-size: 14px; } i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 7px; }
svg { display: block; max-width: 100%; height: auto; overflow: visible; } .narrow { display: none; }
@media (max-width: 640px) { main { padding: 24px 14px 60px; } .card { padding: 12px; } .wide { display: none; } .narrow { display: block; } }
@media print { main { max-width: none; padding: 0; } .card { break-inside: avoid; overflow: visible; } h2, h3 { break-after: avoid; } i, svg, td { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

/** Colour of the series at `index`: the page's own variable, so that it holds on light and dark. */
export function seriesColour(index: number): string {
  return `var(--series-${index % 8})`;
}

/** Widths that charts are drawn for: the inside of a card in a wide window and on a phone of 360 pixels. */
export const CHART_WIDTHS = Object.freeze({ wide: 846, narrow: 306 });

/** Drawn for a wide window and for a phone, rather than shrunk until it cannot be read. */
export function responsiveChart(draw: (width: number) => string): Html {
  return html`<div class="wide">${raw(draw(CHART_WIDTHS.wide))}</div>
    <div class="narrow">${raw(draw(CHART_WIDTHS.narrow))}</div>`;
}

export interface Page {
  readonly title: string;
  /** Rules of the page's own, after those that all share. */
  readonly style?: string;
  /** What stands in `main`. */
  readonly content: Html;
  /** An ES module that runs in the page. */
  readonly script?: string;
}

/** One self-contained HTML file. */
export function renderPage({ title, style = "", content, script }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${raw(STYLE + style)}
        </style>
      </head>
      <body>
        <main>${content}</main>
        ${
          script === undefined
            ? ""
            : html`<script type="module">
                ${raw(script)};
              </script>`
        }
      </body>
    </html>`.html;
}
