/** What classification finds, from the scores of all items: metrics, outcomes by item, class and group, and examples. */
import type { Evaluation, Metric } from "@diptych/core";
import { mainMetricOf, type ClassificationConfig } from "./classification-config.js";
import { noteOnEmptyClasses } from "./class-outcomes.js";
import type { ClassScores } from "./class-scores.js";
import { createSingleAnswers, singleMetrics, type SingleAnswers } from "./classify.js";
import { pickExamples } from "./examples.js";
import { groupMetrics, groupsOf } from "./group-metrics.js";
import { multiLabelOutcomes, multiLabelPrecisions, type MultiAnswers } from "./multi-label.js";
import { describeSingleLabel } from "./single-label.js";

export interface ClassificationOutcome {
  readonly scores: ClassScores;
  readonly targets: readonly (readonly number[])[];
  readonly scale: number;
  readonly config: ClassificationConfig;
  readonly signal: AbortSignal | undefined;
}

/** Rows scored between two looks at the signal. */
const ROWS_AT_ONCE = 256;

export async function evaluateSingleLabel(asked: ClassificationOutcome): Promise<Evaluation> {
  const { scores, targets, scale, config } = asked;
  const { classNames, firstLike } = scores.prompts;
  const answering = createSingleAnswers({ scale, firstLike });
  await eachRow(asked, (row, item) => answering.add(row, targets[item]?.[0] ?? -1));
  const answers = answering.all();
  const { topK, bins, examples } = config;
  const ids = scores.samples.map(({ id }) => id);
  const described = { ids, classNames, answers, scoresOf: scores.of, scale, topK, bins, examples };
  const found = describeSingleLabel(described);
  const options = { topK, bins, candidates: classNames.length };
  const grouped = byGroups(asked, (items) => singleMetrics(answers, options, items));
  return Object.freeze({
    ...found,
    metrics: { ...found.metrics, ...grouped.worst },
    ...(grouped.groups ? { groups: grouped.groups } : {}),
    notes: [...noteOnEmptyClasses(found.classes), ...noteOnBrokenScores(answers), ...grouped.notes],
  });
}

export async function evaluateMultiLabel(asked: ClassificationOutcome): Promise<Evaluation> {
  const { scores, targets, config } = asked;
  const { classNames } = scores.prompts;
  const rows: Float64Array[] = [];
  await eachRow(asked, (row) => rows.push(row));
  const answers: MultiAnswers = {
    scores: rows,
    targets: targets.map((all) => new Set(all)),
    candidates: classNames.length,
  };
  const found = multiLabelPrecisions(answers);
  const precisions = found.items;
  const grouped = byGroups(asked, (items) => multiLabelPrecisions(answers, items).metrics);
  const classes = multiLabelOutcomes(classNames, answers, found.classes);
  const ids = scores.samples.map(({ id }) => id);
  const without = targets.filter((all) => all.length === 0).length;
  return Object.freeze({
    metrics: { ...found.metrics, ...grouped.worst },
    items: { ids, values: { labelRankingPrecision: precisions } },
    classes,
    ...(grouped.groups ? { groups: grouped.groups } : {}),
    examples: pickExamples({
      ids,
      classNames,
      isRight: (item, candidate) => answers.targets[item]?.has(candidate) ?? false,
      answeredRight: precisions.map((value) => (Number.isNaN(value) ? undefined : value === 1)),
      // The worse the ranking, the more there is to see.
      confidences: precisions.map((value) => (value === 1 ? 1 : 1 - value)),
      scoresOf: (item) => rows[item] ?? new Float64Array(0),
      count: config.examples,
    }),
    notes: [
      ...noteOnEmptyClasses(classes),
      ...(without > 0
        ? [
            `${without} of ${ids.length} pictures have none of the classes: they count as negatives of all.`,
          ]
        : []),
      ...grouped.notes,
    ],
  });
}

/** Scores row by row, letting other work in between. @throws the signal's reason once it is aborted. */
async function eachRow(
  { scores, targets, signal }: ClassificationOutcome,
  use: (row: Float64Array, item: number) => void,
): Promise<void> {
  for (let item = 0; item < targets.length; item++) {
    if (item % ROWS_AT_ONCE === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
    use(scores.of(item), item);
  }
}

function byGroups(
  { scores, config }: ClassificationOutcome,
  measure: (items: readonly number[]) => Readonly<Record<string, Metric>>,
): Partial<ReturnType<typeof groupMetrics>> & { readonly notes: readonly string[] } {
  if (config.groups.length === 0) return { notes: [] };
  const groups = groupsOf(scores.samples, config.groups);
  return groupMetrics({ groups, measure, mainMetric: mainMetricOf(config) });
}

function noteOnBrokenScores({ confidences, ranks }: SingleAnswers): readonly string[] {
  const broken = confidences.filter(Number.isNaN).length;
  if (broken === 0) return [];
  return [
    `${broken} of ${ranks.length} pictures have scores that are not numbers: they are no hits where the right class has none, and the calibration error leaves them out.`,
  ];
}
