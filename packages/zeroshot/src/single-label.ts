/** What is found of items with one class each, from the answers to them: metrics, outcomes by item and class, and examples. */
import type { ClassOutcomes, Evaluation, ItemExample, ItemOutcomes } from "@diptych/core";
import { classOutcomes } from "./class-outcomes.js";
import { singleMetrics, type SingleAnswers, type SingleMetricOptions } from "./classify.js";
import { pickExamples } from "./examples.js";

export interface SingleLabelOptions extends Omit<SingleMetricOptions, "candidates" | "firstLike"> {
  readonly ids: readonly string[];
  readonly classNames: readonly string[];
  readonly answers: SingleAnswers;
  /** Scores of an item, whose softmax its examples show. */
  readonly scoresOf: (item: number) => Float64Array;
  readonly topK: readonly number[];
  /** Mistakes to show. */
  readonly examples: number;
}

export interface SingleLabelFindings {
  readonly metrics: Evaluation["metrics"];
  readonly items: ItemOutcomes;
  readonly classes: ClassOutcomes;
  readonly examples: readonly ItemExample[];
}

export function describeSingleLabel(options: SingleLabelOptions): SingleLabelFindings {
  const { ids, classNames, answers, scoresOf, topK, bins, scale = 1, examples } = options;
  const { ranks, targets, confidences } = answers;
  const within = (k: number): readonly number[] => ranks.map((rank) => (rank < k ? 1 : 0));
  const right = within(1);
  return {
    metrics: singleMetrics(answers, { topK, bins, candidates: classNames.length }),
    items: { ids, values: Object.fromEntries(topK.map((k) => [`top${k}`, within(k)])) },
    classes: classOutcomes({ classNames, ...answers, right }),
    examples: pickExamples({
      ids,
      classNames,
      isRight: (item, candidate) => targets[item] === candidate,
      answeredRight: right.map(Boolean),
      confidences,
      scoresOf: (item) => softmax(scoresOf(item), scale),
      count: examples,
    }),
  };
}

function softmax(scores: Float64Array, scale: number): Float64Array {
  const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = scores.map((score) => Math.exp((score - largest) * scale));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
