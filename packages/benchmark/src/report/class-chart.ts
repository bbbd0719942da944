/** Bars by class, one for each method: of the classes that go best, worst, and most differently between methods. */
import * as Plot from "@observablehq/plot";
import { fitLabel, labelRoom } from "./label-room.js";
import { percentTick } from "./mean-chart.js";
import { seriesColour } from "./page-frame.js";
import { renderPlot } from "./plot.js";

/** Values of one class by method; NaN where a method has none. */
export interface ClassRow {
  readonly name: string;
  readonly queries: number;
  readonly values: readonly { readonly method: string; readonly value: number }[];
}

export interface ClassChoice {
  readonly title: string;
  readonly rows: readonly ClassRow[];
}

/** Classes that one chart shows. */
const SHOWN = 8;

/** All classes where they fit into one chart; else the most changed, the worst and the best, which may overlap. */
export function chooseClasses(rows: readonly ClassRow[]): readonly ClassChoice[] {
  const counted = rows.filter(({ values }) => values.some(({ value }) => Number.isFinite(value)));
  if (counted.length === 0) return [];
  const bySpread = [...counted].sort((a, b) => spread(b) - spread(a));
  const byMean = [...counted].sort((a, b) => middle(a) - middle(b));
  if (counted.length <= SHOWN) return [{ title: "All classes, worst first", rows: byMean }];
  const changed = bySpread.slice(0, SHOWN).filter((row) => spread(row) > 0);
  return [
    ...(changed.length > 0 ? [{ title: "Where the methods differ most", rows: changed }] : []),
    { title: "Worst", rows: byMean.slice(0, SHOWN) },
    { title: "Best", rows: byMean.slice(-SHOWN).reverse() },
  ];
}

function finiteValues({ values }: ClassRow): readonly number[] {
  return values.map(({ value }) => value).filter((value) => Number.isFinite(value));
}

/** Largest value less the smallest. */
function spread(row: ClassRow): number {
  const values = finiteValues(row);
  return Math.max(...values) - Math.min(...values);
}

function middle(row: ClassRow): number {
  const values = finiteValues(row);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

interface Bar {
  readonly line: string;
  readonly value: number;
  readonly colour: string;
}

/** Pixels of a bar with its gap. */
const LINE = 12;

/** @param methods All of the report, whose places give the colours. */
export function classChart(
  { rows, title }: ClassChoice,
  methods: readonly string[],
  width: number,
): string {
  const room = labelRoom(
    rows.map(({ name }) => name),
    width,
  );
  const present = methods.filter((method) =>
    rows.some((row) => row.values.some((one) => one.method === method)),
  );
  // Lines of the chart, from the top: two for a name that stands above its bars, the bars, one to breathe.
  const lines = rows.flatMap((_, i) => [
    ...(room.above ? [`${i} name`, `${i} below`] : []),
    ...present.map((method) => `${i} bar ${method}`),
    `${i} end`,
  ]);
  const bars = rows.flatMap(({ values }, i) =>
    values.flatMap(({ method, value }): readonly Bar[] =>
      Number.isFinite(value)
        ? [{ line: `${i} bar ${method}`, value, colour: seriesColour(methods.indexOf(method)) }]
        : [],
    ),
  );
  const names = rows.map(({ name }, i) => ({
    text: fitLabel(name, room.above ? width - 20 : room.left),
    line: room.above
      ? `${i} name`
      : `${i} bar ${present[Math.floor((present.length - 1) / 2)] ?? ""}`,
  }));
  return renderPlot({
    width,
    height: lines.length * LINE + 36,
    marginTop: 4,
    marginBottom: 32,
    marginLeft: room.left,
    marginRight: 46,
    ariaLabel: `${title}: ${rows.map(({ name }) => name).join(", ")}.`,
    x: {
      label: null,
      domain: [0, 1],
      grid: true,
      ticks: width < 500 ? 3 : 6,
      tickFormat: percentTick,
    },
    y: { axis: null, domain: lines, padding: 0 },
    marks: [
      Plot.barX(bars, { x: "value", y: "line", fill: "colour", insetTop: 1, insetBottom: 1 }),
      Plot.text(bars, {
        x: "value",
        y: "line",
        text: (bar: Bar) => `${(100 * bar.value).toFixed(0)} %`,
        textAnchor: "start",
        dx: 5,
        fontSize: 10,
      }),
      Plot.text(names, {
        y: "line",
        text: "text",
        frameAnchor: "left",
        textAnchor: room.above ? "start" : "end",
        dx: room.above ? 0 : -10,
        // Between the two middle bars where their number is even.
        dy: room.above ? 4 : present.length % 2 === 0 ? LINE / 2 : 0,
      }),
    ],
  });
}
