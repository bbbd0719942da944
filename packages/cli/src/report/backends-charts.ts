/** Charts of a comparison of backends: loss curves, how far they lie apart, and bars of times and memory. */
import * as Plot from "@observablehq/plot";
import { renderPlot, seriesColour } from "@diptych/benchmark";
import { formatBytes } from "@diptych/core";
import type { BackendComparison, ComparedBackend, Spread } from "diptych";

interface Indexed {
  readonly backend: ComparedBackend;
  readonly index: number;
}

function indexed({ backends }: BackendComparison): readonly Indexed[] {
  return backends.map((backend, index) => ({ backend, index }));
}

/** How a curve is drawn: the reference broad and faint below, the others as thin dashes, for equal curves lie on one another. */
function stroke(index: number, isReference: boolean): object {
  return isReference
    ? { stroke: seriesColour(index), strokeWidth: 7, strokeOpacity: 0.4 }
    : {
        stroke: seriesColour(index),
        strokeWidth: 2,
        strokeDasharray: `5 ${3 + 2 * (index % 4)}`,
        strokeDashoffset: 3 * index,
      };
}

/** Loss by step, steps counted from 1. */
export function lossChart(comparison: BackendComparison, width: number): string {
  const lines = indexed(comparison).map(({ backend, index }) =>
    Plot.line(
      backend.points.map(({ step, loss }) => ({ step: step + 1, loss })),
      { x: "step", y: "loss", ...stroke(index, backend.label === comparison.reference) },
    ),
  );
  return renderPlot({
    width,
    height: 300,
    marginLeft: 52,
    marginBottom: 44,
    x: stepScale(comparison, width),
    y: { label: "loss", grid: true, nice: true },
    marks: lines,
  });
}

/** Smallest difference that is drawn: below it two float32 losses are the same number. */
const LEAST_DIFFERENCE = 1e-8;

/** Relative difference to the reference's loss by step, with the tolerance; empty where there is nothing to compare. */
export function differenceChart(comparison: BackendComparison, width: number): string {
  const { backends, reference, tolerance } = comparison;
  const base = backends.find(({ label }) => label === reference);
  const others = indexed(comparison).filter(({ backend }) => backend.difference !== null);
  if (!base || others.length === 0) return "";
  const lines = others.map(({ backend, index }) => {
    const points = backend.points.flatMap(({ step, loss }) => {
      const wanted = base.points[step]?.loss;
      if (wanted === undefined || !Number.isFinite(loss)) return [];
      const difference = Math.abs(loss - wanted) / Math.abs(wanted);
      return [{ step: step + 1, difference: Math.max(difference, LEAST_DIFFERENCE) }];
    });
    return Plot.line(points, {
      x: "step",
      y: "difference",
      stroke: seriesColour(index),
      strokeWidth: 2,
    });
  });
  return renderPlot({
    width,
    height: 240,
    marginLeft: 52,
    marginBottom: 44,
    x: stepScale(comparison, width),
    y: {
      label: "relative difference",
      type: "log",
      domain: [LEAST_DIFFERENCE, Math.max(1e-2, 10 * tolerance)],
      clamp: true,
      grid: true,
      ticks: 4,
      tickFormat: (value: number) => value.toExponential(0),
    },
    marks: [
      Plot.ruleY([tolerance], { stroke: "var(--bad)", strokeDasharray: "4 3" }),
      Plot.text([{ y: tolerance }], {
        y: "y",
        text: () => "tolerance",
        frameAnchor: "right",
        dy: -7,
        textAnchor: "end",
        fill: "var(--bad)",
      }),
      ...lines,
    ],
  });
}

function stepScale({ steps }: BackendComparison, width: number): object {
  return {
    label: "step",
    labelOffset: 38,
    domain: [1, Math.max(2, steps)],
    ticks: Math.min(steps, width < 500 ? 5 : 10),
    tickFormat: "d",
  };
}

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly index: number;
  readonly text: string;
  readonly range?: readonly [number, number];
}

/** Median step times, with a line from the first to the third quartile. */
export function timeChart(comparison: BackendComparison, width: number): string {
  const bars = indexed(comparison).flatMap(({ backend, index }): readonly Bar[] =>
    backend.stepMs
      ? [
          {
            label: backend.label,
            index,
            value: backend.stepMs.median,
            text: milliseconds(backend.stepMs.median),
            range: [backend.stepMs.lower, backend.stepMs.upper],
          },
        ]
      : [],
  );
  return barChart(bars, "milliseconds a step", width);
}

/** The most that each process held in the host's memory. */
export function memoryChart(comparison: BackendComparison, width: number): string {
  const bars = indexed(comparison).flatMap(({ backend, index }): readonly Bar[] =>
    backend.summary
      ? [
          {
            label: backend.label,
            index,
            value: backend.summary.hostPeakBytes / 1e6,
            text: formatBytes(backend.summary.hostPeakBytes),
          },
        ]
      : [],
  );
  return barChart(bars, "megabytes at most", width);
}

/** `27.9 – 41.2 ms`. */
export function millisecondRange({ lower, upper }: Spread): string {
  const [from, to] = [milliseconds(lower), milliseconds(upper)];
  return from.slice(-3) === to.slice(-3) ? `${from.slice(0, -3)} – ${to}` : `${from} – ${to}`;
}

export function milliseconds(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ms`;
}

/** Pixels of a character of a label, about. */
const CHARACTER = 7.2;

function barChart(bars: readonly Bar[], label: string, width: number): string {
  if (bars.length === 0) return "";
  const beside = 14 + Math.max(...bars.map((bar) => bar.label.length)) * CHARACTER;
  // Names that would take the room of the bars stand above them.
  const above = beside > width / 3;
  const end = (bar: Bar): number => Math.max(bar.value, bar.range?.[1] ?? 0);
  const ranged = bars.filter((bar) => bar.range !== undefined);
  const names = Plot.text(bars, {
    x: () => 0,
    y: "label",
    text: "label",
    textAnchor: "start",
    dy: -19,
  });
  return renderPlot({
    width,
    height: (above ? 58 : 38) * bars.length + 56,
    marginTop: 8,
    marginBottom: 44,
    marginLeft: above ? 8 : beside,
    marginRight: 76,
    x: { label, labelOffset: 38, grid: true, zero: true, ticks: width < 500 ? 3 : 6 },
    y: { label: null, domain: bars.map((bar) => bar.label), ...(above ? { axis: null } : {}) },
    marks: [
      Plot.barX(bars, {
        x: "value",
        y: "label",
        fill: (bar: Bar) => seriesColour(bar.index),
        insetTop: above ? 22 : 6,
        insetBottom: above ? 4 : 6,
      }),
      Plot.ruleY(ranged, {
        y: "label",
        x1: (bar: Bar) => bar.range?.[0],
        x2: (bar: Bar) => bar.range?.[1],
        stroke: "currentColor",
        strokeWidth: 2,
        ...(above ? { dy: 9 } : {}),
      }),
      Plot.text(bars, {
        x: end,
        y: "label",
        text: "text",
        dx: 6,
        dy: above ? 9 : 0,
        textAnchor: "start",
        fontWeight: "bold",
      }),
      ...(above ? [names] : []),
    ],
  });
}
