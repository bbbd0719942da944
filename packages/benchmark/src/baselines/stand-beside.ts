/** Published scores beside a row of one's own: comparable where the protocols match, else with what stands against it. */
import { plainText } from "../comparability/plain-difference.js";
import type { BenchmarkRow } from "../record.js";
import {
  publishedBaselines,
  type PublishedBaseline,
  type PublishedProtocol,
  type PublishedScore,
} from "./published-baselines.js";

export interface BesidePublished {
  readonly baseline: PublishedBaseline;
  readonly score: PublishedScore;
  /** Whether it was measured on the row's data, by name. */
  readonly sameData: boolean;
  readonly comparable: boolean;
  /** Why not, each a whole sentence; empty where comparable. */
  readonly reasons: readonly string[];
}

/** Our evaluators that ask what the published numbers ask. */
const TASKS: Readonly<Record<string, PublishedProtocol["task"]>> = {
  "zeroshot-classification": "classification",
  retrieval: "retrieval",
};

/**
 * Published scores of the row's kind and metric: comparable ones first, then those of the same data, then others.
 *
 * Nobody publishes a fingerprint: that the pictures are the same is told by the dataset's name and its numbers of items and
 * candidates. Averages over many tasks stand beside no row.
 */
export function standBeside(row: BenchmarkRow): readonly BesidePublished[] {
  const task = TASKS[evaluatorType(row)];
  if (task === undefined) return [];
  const found = publishedBaselines().flatMap((baseline) =>
    baseline.scores.flatMap((score): readonly BesidePublished[] => {
      const { protocol } = score;
      if (protocol.task !== task || !row.evaluation.metrics[protocol.metric]) return [];
      const reasons = reasonsAgainst(row, protocol);
      const sameData = isSameData(row, protocol);
      const comparable = reasons.length === 0;
      return [Object.freeze({ baseline, score, sameData, comparable, reasons })];
    }),
  );
  const place = ({ comparable, sameData }: BesidePublished): number =>
    comparable ? 0 : sameData ? 1 : 2;
  return found.toSorted((a, b) => place(a) - place(b));
}

function evaluatorType({ provenance, evaluator }: BenchmarkRow): string {
  const type = provenance.evaluator?.["type"];
  return typeof type === "string" ? type : evaluator;
}

/** Whether the row's task or data has one of the dataset's names. */
function isSameData({ task, provenance }: BenchmarkRow, { names }: PublishedProtocol): boolean {
  const called = [task, provenance.testData.name].map((name) =>
    name.toLowerCase().replaceAll(/[^a-z0-9]/g, ""),
  );
  return called.some((name) => names.includes(name));
}

function reasonsAgainst(row: BenchmarkRow, protocol: PublishedProtocol): readonly string[] {
  const { provenance } = row;
  if (!isSameData(row, protocol)) {
    const split = protocol.split === null ? "" : ` (${protocol.split})`;
    return [
      `It was measured on ${protocol.dataset}${split}, this row on ${provenance.testData.name}.`,
    ];
  }
  return [
    ...countReasons(row, protocol),
    ...settingReasons(row, protocol),
    ...precisionReasons(provenance.precision, protocol),
    ...pictureReasons(provenance.preprocessing, protocol),
  ];
}

function countReasons(row: BenchmarkRow, protocol: PublishedProtocol): readonly string[] {
  const metric = row.evaluation.metrics[protocol.metric]!;
  return (["queries", "candidates"] as const).flatMap((what) => {
    const published = protocol[what];
    if (published === null || published === metric[what]) return [];
    const unit = what === "queries" ? "test items" : "candidates";
    return [`It has ${published} ${unit}, this row ${metric[what]}.`];
  });
}

function settingReasons(row: BenchmarkRow, protocol: PublishedProtocol): readonly string[] {
  const settings = row.provenance.evaluator;
  if (!settings) return ["This row does not say which settings its evaluator had."];
  if (protocol.task === "retrieval") {
    return settings["protocol"] === "clip-benchmark"
      ? []
      : [
          `It counts any of a picture's captions as right (CLIP_benchmark), this row goes by ${plainText(settings["protocol"])}.`,
        ];
  }
  const { templates, scores = "features" } = settings;
  const found: string[] = [];
  if (protocol.templates === null) found.push("Which templates it was measured with is not said.");
  else if (templates !== protocol.templates) {
    found.push(
      `It was measured with the templates "${protocol.templates}", this row with ${plainText(templates)}.`,
    );
  }
  if (scores === "loss")
    found.push("It compares features; this row takes what the model's loss scores.");
  return found;
}

const IN_FULL = /^(?:fp32|float32)/;

function precisionReasons(precision: string, published: PublishedProtocol): readonly string[] {
  if (published.precision === null) return ["In which precision it was measured is not said."];
  return IN_FULL.test(published.precision) === IN_FULL.test(precision)
    ? []
    : [`It was measured in ${published.precision}, this row in ${precision}.`];
}

function pictureReasons(
  own: Readonly<Record<string, unknown>>,
  { preprocessing }: PublishedProtocol,
): readonly string[] {
  return Object.entries(preprocessing).flatMap(([key, value]) =>
    own[key] === value
      ? []
      : [
          `Its pictures were prepared with ${key} ${plainText(value)}, this row's with ${plainText(own[key])}.`,
        ],
  );
}
