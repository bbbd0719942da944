/** A figure of curves that stands alone as an SVG file: with its key, its own colours, light or dark as the reader's system. */
import { curveChart, dashOf, type CurveChartOptions } from "./curve-chart.js";
import { html, raw } from "./html.js";
import type { MeanCurve } from "./mean-curves.js";
import { COLOUR_STYLE, seriesColour } from "./page-frame.js";

/** Pixels of a line of the key. */
const LINE = 20;

export function standaloneCurve(curves: readonly MeanCurve[], options: CurveChartOptions): string {
  const { width, value, methods } = options;
  const chart = curveChart(curves, options);
  const inner = Number(/\bheight="(\d+)"/.exec(chart)?.[1] ?? 0);
  const shown = curves.map(({ method }) => ({ method, index: methods.indexOf(method) }));
  const head = 30 + LINE * shown.length;
  const key = shown.map(
    ({ method, index }, row) =>
      html`<g transform="translate(16 ${38 + LINE * row})">
        <line
          x1="0"
          x2="26"
          y1="0"
          y2="0"
          stroke="${seriesColour(index)}"
          stroke-width="2.5"
          stroke-dasharray="${dashOf(index)}"
        />
        <text x="34" dy="0.32em">${method}</text>
      </g>`,
  );
  return html`<svg
    xmlns="http://www.w3.org/2000/svg"
    width="${width}"
    height="${head + inner}"
    viewBox="0 0 ${width} ${head + inner}"
    role="img"
    aria-label="${value}"
    font-family="system-ui, sans-serif"
    font-size="13"
  >
    <style>
      ${raw(COLOUR_STYLE)} svg {
        color: var(--ink);
        fill: currentColor;
      }
    </style>
    <rect width="100%" height="100%" rx="8" style="fill:var(--card)" />
    <text x="16" y="20" font-weight="600">${value}</text>
    ${key}
    <g transform="translate(0 ${head})">${raw(withoutOuterStyle(chart))}</g>
  </svg>`.html;
}

/** Plot writes a style element with rules for its own class, in which nothing needs quoting for XML. */
function withoutOuterStyle(chart: string): string {
  return chart.replaceAll("&nbsp;", "\u00a0");
}
