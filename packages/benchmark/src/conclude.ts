/** From numbers to plain sentences: what a comparison shows, and what may not be concluded from it. */
import type { Budget, Comparison, Incomparable, MethodMean, PairedTest } from "./comparison.js";
import { answerOf, testSentence } from "./conclusion/answer.js";
import { budgetText, listText, seedsText } from "./conclusion/words.js";

export interface ConclusionInput {
  readonly baseline: string;
  /** The baseline first. */
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly budget: Budget;
  /** Of the intervals; 0.95 by default. */
  readonly level?: number;
  readonly means: readonly MethodMean[];
  readonly tests: readonly PairedTest[];
  readonly incomparable: readonly Incomparable[];
  /** What could not be measured. */
  readonly failures: readonly ConclusionFailure[];
  /** Differences of the runs that a reader should know, as whole sentences. */
  readonly notes?: readonly string[];
}

/** One reason for which a method has no result on a task, under some seeds. */
export interface ConclusionFailure {
  readonly method: string;
  readonly task: string;
  readonly seeds: readonly number[];
  readonly reason: string;
}

/**
 * Plain sentences: the first one is the answer, then each test where there are several, what is missing or may not be
 * compared, and what may not be concluded.
 */
export function conclude(input: ConclusionInput): Comparison["conclusion"] {
  const several = input.tests.length > 1;
  return Object.freeze([
    answerOf(input),
    ...(several ? input.tests.map((test) => testSentence(test, input)) : []),
    ...refusals(input),
    ...failures(input),
    ...ofSeeds(input),
    ...ofItems(input),
    ...(input.tests.length > 0 ? limits(input) : []),
    ...(input.notes ?? []),
  ]);
}

function refusals({ incomparable }: ConclusionInput): readonly string[] {
  return incomparable.map(({ method, baseline, task, reasons, severity }) =>
    severity === "marked"
      ? `Whether ${method} and ${baseline} may be compared on ${task} is not certain. ${reasons.join(" ")}`
      : `${method} and ${baseline} may not be compared on ${task}. ${reasons.join(" ")}`,
  );
}

function failures({ failures: all, seeds, methods }: ConclusionInput): readonly string[] {
  const sentences = all.map(({ method, task, seeds: without, reason }) => {
    const where =
      without.length === seeds.length
        ? ""
        : ` under ${without.length === 1 ? "seed" : "seeds"} ${listText(without.map(String))}`;
    return `${method} has no result on ${task}${where}: ${reason.replace(/\.?$/, ".")}`;
  });
  const partly = methods.filter((method) =>
    all.some((one) => one.method === method && one.seeds.length < seeds.length),
  );
  return partly.length === 0
    ? sentences
    : [
        ...sentences,
        `${listText(partly)} ${partly.length === 1 ? "is" : "are"} judged by the seeds that ended well, which may flatter: what failed might have done worse.`,
      ];
}

/** What the number of seeds leaves open. */
function ofSeeds({ tests, seeds, level = 0.95 }: ConclusionInput): readonly string[] {
  if (tests.length === 0) return [];
  const fewest = Math.min(...tests.map((test) => test.seeds?.length ?? seeds.length));
  if (fewest === 1) {
    return [
      "One seed tells of these trained models only: another seed may turn the order round. Repeat with five seeds or more.",
    ];
  }
  const least = 2 / 2 ** fewest;
  const sentences: string[] = [];
  if (least > 1 - level) {
    sentences.push(
      `With ${seedsText(fewest)} a test without assumptions cannot fall below p = ${least}; the verdicts rest on a t test, which takes the seeds' differences for about normal.`,
    );
  }
  if (fewest < 5) {
    sentences.push(
      `${fewest === 2 ? "Two seeds" : `${fewest} seeds`} tell little of how much chance moves a run: only large differences can be certain.`,
    );
  }
  return sentences;
}

function ofItems({ tests }: ConclusionInput): readonly string[] {
  const without = [
    ...new Set(tests.flatMap(({ task, pItems }) => (pItems === null ? [task] : []))),
  ];
  return without.length === 0
    ? []
    : [`${listText(without)} gave no outcomes by item: nothing is said of other test items there.`];
}

function limits({ budget, tests, seeds }: ConclusionInput): readonly string[] {
  const tasks = listText([...new Set(tests.map(({ task }) => task))]);
  const always = [
    `It holds for items like those of ${tasks}, for models trained on this data with ${budgetText(budget)} each${seeds.length > 1 ? "" : ", under this seed"}; nothing is said of other data, budgets or sizes of model.`,
    "Each method ran with the settings of its own configuration: where one was tuned on these test items, or with more care than the other, the difference is that of the tuning too.",
  ];
  const cost = {
    samples: "Equal samples are not equal cost: see the operations and seconds of each.",
    flops:
      "Equal operations are not equal time: a method that uses the machine badly takes longer.",
    seconds:
      "A budget of seconds is one of this machine, and of what else ran on it: elsewhere the methods would see other numbers of samples.",
  };
  return [...always, cost[budget.kind]];
}
