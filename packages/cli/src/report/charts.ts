/** Charts of the quickstart: the loss curve and the bars of shares. */
import * as Plot from "@observablehq/plot";
import { renderPlot, seriesColour } from "@diptych/benchmark";
import type { LossPoint, ModelReport } from "./report-data.js";

/** Exponential mean, so that the trend shows through the noise of single batches. */
function smooth(points: readonly LossPoint[]): readonly LossPoint[] {
  // A fifteenth of the curve, however many points were logged.
  const keep = 1 - 1 / Math.max(2, points.length / 15);
  let mean = 0;
  let weight = 0;
  return points.map(({ step, loss }) => {
    mean = keep * mean + (1 - keep) * loss;
    weight = keep * weight + (1 - keep);
    return { step, loss: mean / weight };
  });
}

/** Loss by step: each batch faint, the running mean strong; one colour a model. */
export function lossChart(models: readonly ModelReport[]): string {
  const marks = models.flatMap(({ losses }, i) => {
    const stroke = seriesColour(i);
    return [
      Plot.line(losses, { x: "step", y: "loss", stroke, strokeOpacity: 0.4, strokeWidth: 1 }),
      Plot.line(smooth(losses), { x: "step", y: "loss", stroke, strokeWidth: 2 }),
    ];
  });
  return renderPlot({
    width: 840,
    height: 310,
    marginLeft: 46,
    marginBottom: 44,
    x: { label: "step", labelOffset: 38, tickFormat: "d" },
    y: { label: "loss", grid: true, zero: true },
    marks: [...marks, Plot.ruleY([0])],
  });
}

interface Bar {
  readonly who: string;
  readonly share: number;
}

/** Top-1 of chance, the pixel baseline and each model on the held-out style. */
export function styleChart(models: readonly ModelReport[]): string {
  const [first] = models;
  if (!first) return "";
  const { chance, pixelTop1 } = first.result.heldOutStyle;
  const bars: Bar[] = [
    { who: "chance", share: chance },
    { who: "nearest pixels", share: pixelTop1 },
    ...models.map(({ title, result }) => ({ who: title, share: result.heldOutStyle.top1 })),
  ];
  const names = bars.map((bar) => bar.who);
  return renderPlot({
    width: 840,
    height: 46 * bars.length + 58,
    marginTop: 8,
    marginBottom: 44,
    marginLeft: 190,
    marginRight: 60,
    x: {
      label: "right first guess",
      labelOffset: 38,
      domain: [0, 1],
      tickFormat: ".0%",
      grid: true,
    },
    y: { label: null, domain: names },
    color: {
      domain: names,
      range: ["var(--series-7)", "var(--series-7)", ...models.map((_, i) => seriesColour(i))],
    },
    marks: [
      Plot.barX(bars, { x: "share", y: "who", fill: "who", insetTop: 6, insetBottom: 6 }),
      Plot.text(bars, {
        x: "share",
        y: "who",
        text: (bar: Bar) => `${(bar.share * 100).toFixed(1)} %`,
        dx: 6,
        textAnchor: "start",
        fontWeight: "bold",
      }),
    ],
  });
}
