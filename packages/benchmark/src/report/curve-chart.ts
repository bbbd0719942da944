/** Curves of means over seeds with a band for their interval, one colour a method. */
import * as Plot from "@observablehq/plot";
import type { CurveAxis, MeanCurve } from "./mean-curves.js";
import { percentTick } from "./mean-chart.js";
import { seriesColour } from "./page-frame.js";
import { renderPlot } from "./plot.js";
import { areShares } from "./report-numbers.js";

const AXIS_LABELS: Readonly<Record<CurveAxis, string>> = {
  samples: "pictures seen",
  flops: "floating point operations",
  seconds: "seconds of training",
};

export interface CurveChartOptions {
  /** Name of what is drawn, e.g. `new-style/top1`. */
  readonly value: string;
  readonly against: CurveAxis;
  /** All of the report, whose places give the colours. */
  readonly methods: readonly string[];
  readonly width: number;
}

/** Dashes tell methods apart where colours do not. */
export function dashOf(index: number): string {
  return ["none", "7 3", "2 3", "9 3 2 3"][index % 4] ?? "none";
}

export function curveChart(curves: readonly MeanCurve[], options: CurveChartOptions): string {
  const { value, against, methods, width } = options;
  const points = curves.flatMap((curve) => curve.points);
  const share = !isLoss(value) && areShares(points.map(({ mean }) => mean));
  const bounds = bandBounds(points, share);
  const marks = curves.flatMap((curve) => {
    const index = methods.indexOf(curve.method);
    const stroke = seriesColour(index);
    const band = curve.points.map((point) => ({
      ...point,
      low: Math.max(bounds.low, point.low),
      high: Math.min(bounds.high, point.high),
    }));
    const single = curve.points.length === 1;
    return [
      ...(curve.seeds > 1
        ? [Plot.areaY(band, { x: "x", y1: "low", y2: "high", fill: stroke, fillOpacity: 0.16 })]
        : []),
      single
        ? Plot.dot(curve.points, { x: "x", y: "mean", fill: stroke, r: 4 })
        : Plot.line(curve.points, {
            x: "x",
            y: "mean",
            stroke,
            strokeWidth: 2.2,
            strokeDasharray: dashOf(index),
          }),
    ];
  });
  return renderPlot({
    width,
    height: width < 500 ? 230 : 300,
    marginLeft: 54,
    marginRight: 22,
    marginTop: 14,
    marginBottom: 44,
    ariaLabel: `${value} against ${AXIS_LABELS[against]}: ${curves.map(describe).join("; ")}.`,
    x: {
      label: AXIS_LABELS[against],
      labelOffset: 38,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: width < 500 ? 4 : 8,
      tickFormat: countTick,
    },
    y: {
      label: null,
      grid: true,
      nice: true,
      ticks: 6,
      ...(share ? { tickFormat: percentTick } : {}),
    },
    marks,
  });
}

function isLoss(value: string): boolean {
  return value === "loss" || value.startsWith("loss/");
}

/** Intervals of a few wild seeds may not squeeze the curves: twice the means' own range at most, and shares within 0…1. */
function bandBounds(
  points: MeanCurve["points"],
  share: boolean,
): { readonly low: number; readonly high: number } {
  const means = points.map(({ mean }) => mean);
  const [least, most] = [Math.min(...means), Math.max(...means)];
  const slack = (most - least || Math.abs(most) || 1) / 2;
  const negative = least < 0;
  return {
    low: Math.max(least - slack, share && !negative ? 0 : -Infinity),
    high: Math.min(most + slack, share ? 1 : Infinity),
  };
}

function describe({ method, points }: MeanCurve): string {
  const last = points.at(-1);
  return `${method} ends at ${last ? Number(last.mean.toPrecision(3)) : "nothing"}`;
}

/** `200k`, `1.5M`, `3e+14`. */
function countTick(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e12)
    return value
      .toExponential(Number.isInteger(value / 10 ** Math.floor(Math.log10(size))) ? 0 : 1)
      .replace("e+", "e");
  if (size >= 1e9) return `${Number((value / 1e9).toFixed(2))}G`;
  if (size >= 1e6) return `${Number((value / 1e6).toFixed(2))}M`;
  if (size >= 1e3) return `${Number((value / 1e3).toFixed(2))}k`;
  return String(Number(value.toFixed(3)));
}
