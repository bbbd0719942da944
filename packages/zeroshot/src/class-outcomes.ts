/** Right and wrong answers by class: counts of what was guessed for what. */
import type { ClassOutcomes } from "@diptych/core";

/**
 * Counts by true and guessed class, those that are not 0, by true class and then by guess. Items without a guess (-1:
 * none of their scores is a number) are in no cell.
 */
function confusionCounts(
  targets: readonly number[],
  guesses: readonly number[],
): readonly (readonly [number, number, number])[] {
  const counts = new Map<number, Map<number, number>>();
  targets.forEach((target, i) => {
    const guess = guesses[i] ?? -1;
    if (guess < 0) return;
    const row = counts.get(target) ?? new Map<number, number>();
    counts.set(target, row);
    row.set(guess, (row.get(guess) ?? 0) + 1);
  });
  const byNumber = (a: readonly [number, unknown], b: readonly [number, unknown]): number =>
    a[0] - b[0];
  return [...counts]
    .sort(byNumber)
    .flatMap(([target, row]) =>
      [...row].sort(byNumber).map(([guess, count]) => [target, guess, count] as const),
    );
}

export interface SingleLabelAnswers {
  readonly classNames: readonly string[];
  readonly targets: readonly number[];
  readonly guesses: readonly number[];
  /** 1 where the answer is right. */
  readonly right: readonly number[];
}

/** Queries and recall of each class, and the confusion matrix. */
export function classOutcomes(answers: SingleLabelAnswers): ClassOutcomes {
  const { classNames, targets, guesses, right } = answers;
  const queries = classNames.map(() => 0);
  const hits = classNames.map(() => 0);
  targets.forEach((target, i) => {
    queries[target] = (queries[target] ?? 0) + 1;
    hits[target] = (hits[target] ?? 0) + (right[i] ?? 0);
  });
  return Object.freeze({
    names: classNames,
    queries,
    recall: hits.map((count, i) => count / (queries[i] ?? 0)),
    confusion: confusionCounts(targets, guesses),
  });
}

/** A sentence on the classes without items, where there are any: what is a mean over classes leaves them out. */
export function noteOnEmptyClasses({ names, queries }: ClassOutcomes): readonly string[] {
  const empty = names.filter((_, i) => queries[i] === 0);
  if (empty.length === 0) return [];
  const shown = empty.slice(0, 10).join(", ");
  const rest = empty.length > 10 ? `, and ${empty.length - 10} more` : "";
  return [
    `${empty.length} of ${names.length} classes have no picture in this set: ${shown}${rest}. Means over classes leave them out; they stay among the candidates.`,
  ];
}
