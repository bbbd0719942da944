/** A figure as static SVG, by @observablehq/plot in a document that needs no browser. Text takes the page's colour. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

export function renderPlot(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<html><body></body></html>") as unknown as { document: object };
  // linkedom has what the library uses of a document; DOM types are not loaded here, so the figure's is unknown.
  const plot = Plot.plot as unknown as (options: object) => { readonly outerHTML: string };
  return plot({
    ...options,
    document,
    style: { fontSize: "12px", fontFamily: "inherit", color: "currentColor", background: "none" },
  }).outerHTML;
}
