/** What a learned classifier finds on the test set, from its scores. */
import type { Evaluation } from "@diptych/core";
import { noteOnEmptyClasses } from "../class-outcomes.js";
import { createSingleAnswers } from "../classify.js";
import { describeSingleLabel } from "../single-label.js";
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
  const found = describeSingleLabel({
    ids: test.ids,
    classNames,
    answers: answering.all(),
    scoresOf: (item) => scores[item] ?? new Float64Array(0),
    topK,
    examples,
  });
  return Object.freeze({
    ...found,
    // By row until here; a row's sample stands elsewhere in its dataset where samples have several pictures, or none.
    examples: found.examples.map((example) => ({
      ...example,
      sample: test.positions[example.sample ?? 0] ?? 0,
    })),
    notes: [...before, ...noteOnEmptyClasses(found.classes), ...notes],
  });
}
