/** Means of a task by method: a dot with its interval, and a faint dot for each seed. */
import * as Plot from "@observablehq/plot";
import type { MethodMean } from "../comparison.js";
import { fitLabel, labelRoom } from "./label-room.js";
import { seriesColour } from "./page-frame.js";
import { renderPlot } from "./plot.js";
import { areShares, formatMetric } from "./report-numbers.js";

interface Drawn extends MethodMean {
  readonly label: string;
  readonly colour: string;
}

/** @param methods All of the report, whose places give the colours. */
export function meanChart(
  means: readonly MethodMean[],
  methods: readonly string[],
  width: number,
): string {
  const share = areShares(
    means.flatMap(({ mean, interval }) => [mean, interval?.low ?? mean, interval?.high ?? mean]),
  );
  const room = labelRoom(
    means.map(({ method }) => method),
    width,
  );
  const drawn = means
    .filter(({ mean }) => Number.isFinite(mean))
    .map((one): Drawn => {
      const label = fitLabel(one.method, room.above ? width - 90 : room.left);
      return { ...one, label, colour: seriesColour(methods.indexOf(one.method)) };
    });
  const seeds = drawn.flatMap(({ values, method, colour }) =>
    values.length > 1
      ? values.flatMap((value) => (value === null ? [] : [{ value, method, colour }]))
      : [],
  );
  const shift = room.above ? 11 : 0;
  return renderPlot({
    width,
    height: (room.above ? 52 : 38) * drawn.length + 48,
    marginTop: 6,
    marginBottom: 42,
    marginLeft: room.left,
    marginRight: 66,
    ariaLabel: "Means with their intervals by method; the table below says the same.",
    x: {
      label: means[0]?.metric ?? "",
      labelOffset: 36,
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
      nice: true,
      ticks: width < 500 ? 3 : 6,
      ...(share ? { tickFormat: percentTick } : {}),
    },
    y: { label: null, axis: null, domain: drawn.map(({ method }) => method) },
    marks: [
      Plot.dot(seeds, {
        x: "value",
        y: "method",
        r: 2.5,
        fill: "colour",
        fillOpacity: 0.55,
        // Below the line, where the interval does not hide them.
        dy: shift + 9,
      }),
      Plot.link(drawn, {
        x1: (one: Drawn) => finite(one.interval?.low, one.mean),
        x2: (one: Drawn) => finite(one.interval?.high, one.mean),
        y: "method",
        stroke: "colour",
        strokeWidth: 2.5,
        dy: shift,
      }),
      Plot.dot(drawn, { x: "mean", y: "method", r: 5.5, fill: "colour", dy: shift }),
      ...labels(drawn, { share, above: room.above }),
    ],
  });
}

/** Names at the left, or above, and values at the right. */
function labels(
  drawn: readonly Drawn[],
  { share, above }: { readonly share: boolean; readonly above: boolean },
): readonly Plot.Markish[] {
  return [
    Plot.text(drawn, {
      text: "label",
      y: "method",
      frameAnchor: "left",
      textAnchor: above ? "start" : "end",
      dx: above ? 0 : -10,
      dy: above ? -8 : 0,
    }),
    Plot.text(drawn, {
      text: (one: Drawn) => formatMetric(one.mean, share),
      y: "method",
      frameAnchor: "right",
      textAnchor: "start",
      dx: 8,
      dy: above ? 11 : 0,
      fontWeight: "bold",
    }),
  ];
}

/** `0.6` as `60 %`; a tick between whole percents keeps its digit. */
export function percentTick(value: number): string {
  return `${Number((100 * value).toFixed(1))} %`;
}

function finite(value: number | undefined, otherwise: number): number {
  return value !== undefined && Number.isFinite(value) ? value : otherwise;
}
