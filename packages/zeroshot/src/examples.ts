/** Items to look at: the most confident mistakes, and a few right answers. */
import type { ItemExample } from "@diptych/core";
import { topCandidates } from "./ranking.js";

export interface ExampleOptions {
  readonly ids: readonly string[];
  readonly classNames: readonly string[];
  /** Right classes of an item. */
  readonly isRight: (item: number, candidate: number) => boolean;
  /** Whether an item was answered right; undefined where it has no answer. */
  readonly answeredRight: readonly (boolean | undefined)[];
  /** How sure the answer was; NaN last. */
  readonly confidences: readonly number[];
  /** Probabilities, or other scores, of an item's candidates. */
  readonly scoresOf: (item: number) => Float64Array;
  /** Mistakes to give; a third as many right answers. */
  readonly count: number;
}

/** Answers shown of an item. */
export const SHOWN = 5;

/** At most `count` of `size` positions, spread evenly over them. */
export function spreadEvenly(size: number, count: number): readonly number[] {
  const taken = Math.min(size, count);
  return Array.from({ length: taken }, (_, i) => Math.floor(((i + 0.5) * size) / taken));
}

/** Most confident first; of equal ones the first in the set. */
export function pickExamples(options: ExampleOptions): readonly ItemExample[] {
  const { answeredRight, confidences, count } = options;
  const order = [...answeredRight.keys()].sort((a, b) => {
    const [x, y] = [confidences[a] ?? NaN, confidences[b] ?? NaN];
    return Number.isNaN(x) || Number.isNaN(y)
      ? Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b
      : y - x || a - b;
  });
  const chosen = (right: boolean, most: number): readonly number[] =>
    order.filter((item) => answeredRight[item] === right).slice(0, most);
  return [
    ...chosen(false, count).map((item) => exampleOf(item, "mistake", options)),
    ...chosen(true, Math.ceil(count / 3)).map((item) => exampleOf(item, "success", options)),
  ];
}

function exampleOf(
  item: number,
  kind: "mistake" | "success",
  { ids, classNames, isRight, scoresOf }: ExampleOptions,
): ItemExample {
  const scores = scoresOf(item);
  const right = classNames.filter((_, candidate) => isRight(item, candidate));
  return Object.freeze({
    kind,
    id: ids[item] ?? "",
    sample: item,
    expected: right.join(", "),
    answers: topCandidates(scores, SHOWN).map((candidate) => ({
      text: classNames[candidate] ?? "",
      score: scores[candidate] ?? NaN,
      right: isRight(item, candidate),
    })),
  });
}
