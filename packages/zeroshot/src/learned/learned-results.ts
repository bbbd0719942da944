/** What a learned classifier finds on the test set, from its scores. */
import type { Evaluation } from "@diptych/core";
import { classOutcomes, noteOnEmptyClasses } from "../class-outcomes.js";
import { createSingleAnswers, singleMetrics } from "../classify.js";
import { pickExamples } from "../examples.js";
import type { LearningData } from "./learning-data.js";

export interface LearnedResultOptions {
  readonly topK: readonly number[];
  /** Mistakes to show. */
  readonly examples: number;
  readonly notes: readonly string[];
}

/** @param scores Of each test row, by class; larger is better, a softmax of them are the probabilities. */
export function describeLearned(
  { test, classNames, notes: before }: LearningData,
  scores: readonly Float64Array[],
  { topK, examples, notes }: LearnedResultOptions,
): Evaluation {
  const answering = createSingleAnswers({ scale: 1 });
  scores.forEach((row, i) => {
    answering.add(row, test.targets[i] ?? -1);
  });
  const answers = answering.all();
  const right = answers.ranks.map((rank) => (rank === 0 ? 1 : 0));
  const within = (k: number): readonly number[] => answers.ranks.map((rank) => (rank < k ? 1 : 0));
  const classes = classOutcomes({ classNames, ...answers, right });
  return Object.freeze({
    metrics: singleMetrics(answers, { topK, candidates: classNames.length }),
    items: {
      ids: test.ids,
      values: Object.fromEntries(topK.map((k) => [`top${k}`, within(k)])),
    },
    classes,
    examples: pickExamples({
      ids: test.ids,
      classNames,
      isRight: (item, candidate) => test.targets[item] === candidate,
      answeredRight: right.map(Boolean),
      confidences: answers.confidences,
      scoresOf: (item) => probabilities(scores[item] ?? new Float64Array(0)),
      count: examples,
    }).map((example) => ({ ...example, sample: test.positions[example.sample ?? 0] ?? 0 })),
    notes: [...before, ...noteOnEmptyClasses(classes), ...notes],
  });
}

function probabilities(scores: Float64Array): Float64Array {
  const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = scores.map((score) => Math.exp(score - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
