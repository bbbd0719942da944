/** Tables of what came out: means with intervals and verdicts, all metrics, groups, and what training cost. */
import { formatDuration } from "@diptych/core";
import { isRefused } from "../comparability/judge-pairs.js";
import type { PairedTest } from "../comparison.js";
import {
  areShares,
  formatCount,
  formatDifference,
  formatFlops,
  formatInterval,
  formatMetric,
  formatProbability,
  NOTHING,
} from "./report-numbers.js";
import type { Cell, ReportTable } from "./report-table.js";
import { mainMeans, meanMetric, meanOf, rowsOf, unique, type ReportView } from "./report-view.js";

export function methodCell({ methods }: ReportView, method: string): Cell {
  return { text: method, series: methods.indexOf(method) };
}

/** Mean, interval, difference to the baseline and verdict of each method on one task. */
export function meansTable(view: ReportView, task: string): ReportTable | undefined {
  const means = mainMeans(view, task);
  const [first] = means;
  if (!first) return undefined;
  const share = areShares(means.map(({ mean }) => mean));
  const compared = view.tests.some((test) => test.task === task);
  const level = levelOf(view);
  const seeds = Math.max(...means.map(({ values }) => values.length));
  return {
    caption: `${task}: ${first.metric}${seeds > 1 ? `, mean over ${seeds} seeds` : ""}, with ${level} intervals`,
    head: [view.noun, first.metric, ...(compared ? ["difference", "p", "verdict"] : [])],
    rows: means.map((one) => [
      methodCell(view, one.method),
      { text: formatMetric(one.mean, share), below: formatInterval(one.interval, share) },
      ...(compared ? comparedCells(view, { ...one, share }) : []),
    ]),
    words: compared ? [4] : [],
    stack: compared,
  };
}

function comparedCells(
  view: ReportView,
  {
    method,
    task,
    metric,
    share,
  }: {
    readonly method: string;
    readonly task: string;
    readonly metric: string;
    readonly share: boolean;
  },
): readonly Cell[] {
  if (method === view.baseline) return [NOTHING, NOTHING, { text: "baseline", tone: "soft" }];
  const test = view.tests.find(
    (one) => one.task === task && one.method === method && one.metric === metric,
  );
  const verdict = verdictCell(view, { method, task, test });
  if (!test) return [NOTHING, NOTHING, verdict];
  return [
    {
      text: `${formatDifference(test.difference, share)}${share ? " points" : ""}`,
      below: formatInterval(test.interval, share, true),
    },
    { text: formatProbability(test.pCorrected), below: singleProbabilities(test) },
    verdict,
  ];
}

/** The tests over seeds alone and over items alone, uncorrected. */
function singleProbabilities({ pSeeds, pItems }: PairedTest): string {
  return [
    ...(pSeeds === null ? [] : [`seeds ${formatProbability(pSeeds)}`]),
    ...(pItems === null ? [] : [`items ${formatProbability(pItems)}`]),
  ].join(", ");
}

function verdictCell(
  { incomparable }: ReportView,
  {
    method,
    task,
    test,
  }: { readonly method: string; readonly task: string; readonly test: PairedTest | undefined },
): Cell {
  if (isRefused(incomparable, method, task)) return { text: "not comparable", tone: "bad" };
  if (!test) return { text: "not compared", tone: "soft" };
  const { verdict } = test;
  const tone = verdict === "undecided" ? "soft" : verdict === "better" ? "good" : "bad";
  const marked = incomparable.some((one) => one.method === method && one.task === task);
  return { text: verdict, tone, ...(marked ? { below: "may not be comparable" } : {}) };
}

/** `95 %`. */
export function levelOf({ means }: ReportView): string {
  const level = means.find(({ interval }) => interval !== null)?.interval?.level ?? 0.95;
  return `${Number((100 * level).toFixed(1))} %`;
}

/** Every metric of a task, its mean over seeds, by method. */
export function metricsTable(view: ReportView, task: string): ReportTable | undefined {
  const names = unique(
    rowsOf(view, task).flatMap(({ evaluation }) => Object.keys(evaluation.metrics)),
  );
  const present = view.methods.filter((method) => rowsOf(view, task, method).length > 0);
  if (names.length === 0) return undefined;
  return {
    caption: `${task}: all metrics${view.seeds.length > 1 ? ", means over seeds" : ""}`,
    head: ["metric", ...present, "queries", "candidates"],
    rows: names.map((name) => {
      const values = present.map((method) =>
        meanMetric(rowsOf(view, task, method), ({ evaluation }) => evaluation.metrics[name]),
      );
      const one = rowsOf(view, task).find((row) => row.evaluation.metrics[name])?.evaluation
        .metrics[name];
      const count = (value: number | undefined): string =>
        value === undefined ? NOTHING : formatCount(value);
      return [
        name,
        ...values.map((value, m): Cell => {
          const known = view.means.find(
            (mean) => mean.task === task && mean.metric === name && mean.method === present[m],
          );
          const share = areShares(values);
          const text = formatMetric(value, share);
          return known?.interval ? { text, below: formatInterval(known.interval, share) } : text;
        }),
        count(one?.queries),
        count(one?.candidates),
      ];
    }),
  };
}

/** Main metric by value of a label, the worst of each method marked. */
export function groupTables(view: ReportView, task: string): readonly ReportTable[] {
  const rows = rowsOf(view, task);
  const labels = unique(rows.flatMap(({ evaluation }) => Object.keys(evaluation.groups ?? {})));
  const metric = rows[0]?.mainMetric ?? "";
  const present = view.methods.filter((method) => rowsOf(view, task, method).length > 0);
  return labels.map((label): ReportTable => {
    const groups = unique(
      rows.flatMap(({ evaluation }) => Object.keys(evaluation.groups?.[label] ?? {})),
    );
    const valueOf = (method: string, group: string): number =>
      meanMetric(
        rowsOf(view, task, method),
        (row) => row.evaluation.groups?.[label]?.[group]?.[metric],
      );
    const values = groups.map((group) => present.map((method) => valueOf(method, group)));
    const worst = present.map((_, m) =>
      Math.min(...values.map((row) => row[m] ?? NaN).filter((value) => Number.isFinite(value))),
    );
    const share = areShares(values.flat());
    return {
      caption: `${task}: ${metric} by ${label}, the lowest of each ${view.noun} marked`,
      head: [label, ...present, "queries"],
      rows: groups.map((group, g) => [
        group,
        ...(values[g] ?? []).map((value, m): Cell => {
          const text = formatMetric(value, share);
          return groups.length > 1 && value === worst[m]
            ? { text: `${text} ↓`, tone: "bad" }
            : text;
        }),
        formatCount(
          meanMetric(rows, (row) =>
            countAsMetric(row.evaluation.groups?.[label]?.[group]?.[metric]),
          ),
        ),
      ]),
    };
  });
}

function countAsMetric<T extends { readonly queries: number }>(
  metric: T | undefined,
): (T & { readonly value: number }) | undefined {
  return metric && { ...metric, value: metric.queries };
}

/** What training cost, means over seeds; undefined where nothing is known of it. */
export function costTable(view: ReportView): ReportTable | undefined {
  const costs = view.methods.map((method) => ({
    method,
    all: view.runs
      .filter((run) => run.method === method)
      .flatMap(({ rows }) =>
        rows.slice(0, 1).flatMap(({ provenance }) => provenance.training ?? []),
      ),
  }));
  if (costs.every(({ all }) => all.length === 0)) return undefined;
  const columns = [
    ["steps", "steps", formatCount],
    ["pictures seen", "samples", formatCount],
    ["operations", "flops", formatFlops],
    ["time", "seconds", formatDuration],
    ["parameters", "parameters", formatCount],
  ] as const;
  return {
    caption: `What training cost${view.seeds.length > 1 ? ", means over seeds" : ""}`,
    head: [view.noun, ...columns.map(([title]) => title)],
    rows: costs.map(({ method, all }) => [
      methodCell(view, method),
      ...columns.map(([, key, format]) => {
        const mean = meanOf(all.map((cost) => cost[key]));
        return Number.isFinite(mean) ? format(mean) : NOTHING;
      }),
    ]),
  };
}
