/** What a suite's rows come to: means with intervals over test items, what may not stand side by side, sentences. */
import { isRefused, judgePairs } from "../comparability/judge-pairs.js";
import type { Aspect } from "../comparability/why-incomparable.js";
import type { MethodMean, PairedTest } from "../comparison.js";
import { methodMeans } from "../method-means.js";
import { pairedTests } from "../paired-tests.js";
import { runsOfModels, type SuiteResult } from "../suite-result.js";

/** Models that others trained differ in these; a suite asks which model does better, not which method. */
const VARY: readonly Aspect[] = [
  "training data",
  "budget",
  "data order",
  "recipe",
  "preprocessing",
];
/** Rows of a suite are of one seed each: that of the model, whichever it is. */
const SEEDS = [0];
const LEVEL = 0.95;

export type SuiteFacts = Pick<SuiteResult, "title" | "models" | "tasks" | "rows" | "failed">;

/** Each model is tested against the first one, item by item. */
export function summariseSuite(facts: SuiteFacts): SuiteResult {
  const { models, rows, failed } = facts;
  const runs = runsOfModels(facts);
  const [baseline = ""] = models;
  // Without costs of training a budget is not looked at.
  const budget = { kind: "samples", amount: 0 } as const;
  const shared = { baseline, methods: models, seeds: SEEDS };
  const { incomparable, notes } = judgePairs(runs, { ...shared, budget, vary: VARY });
  const refuses = (method: string, task: string): boolean => isRefused(incomparable, method, task);
  const means = methodMeans(runs, { methods: models, seeds: SEEDS, level: LEVEL });
  const tests = pairedTests(runs, { ...shared, level: LEVEL, refuses });
  const conclusion = [
    ...tasksOf(facts).map((task) => bestOn(task, facts, means)),
    ...tests.map(testSentence),
    ...incomparable.map(
      ({ method, task, reasons, severity }) =>
        `${severity === "marked" ? "Whether" : "That"} ${method} and ${baseline} may be compared on ${task} is ${severity === "marked" ? "not certain" : "not so"}. ${reasons.join(" ")}`,
    ),
    ...failed.map(({ method, task, reason }) => `${method} has no result on ${task}: ${reason}`),
    ...(models.length > 1
      ? [
          "These are models, each with its own training data, cost and preparation of pictures: which is better on these items is said, not which method made it so.",
        ]
      : []),
    ...notes,
  ];
  return Object.freeze({
    kind: "diptych-suite",
    version: 1,
    ...facts,
    rows: [...rows],
    failed: [...failed],
    means,
    incomparable,
    conclusion,
  });
}

function tasksOf({ tasks, rows }: SuiteFacts): readonly string[] {
  return tasks.filter((task) => rows.some((row) => row.task === task));
}

/** The main metric's highest value, and by which model. */
function bestOn(task: string, { rows }: SuiteFacts, means: readonly MethodMean[]): string {
  const metric = rows.find((row) => row.task === task)!.mainMetric;
  const ranked = means
    .filter((one) => one.task === task && one.metric === metric)
    .toSorted((a, b) => b.mean - a.mean);
  const [first] = ranked as [MethodMean];
  const interval = first.interval
    ? ` (${number(first.interval.low)} to ${number(first.interval.high)} for other items like these)`
    : "";
  const what = ranked.length > 1 ? `the highest ${metric} is that of` : `${metric} of`;
  return `On ${task} ${what} ${first.method}${ranked.length > 1 ? "," : " is"} ${number(first.mean)}${interval}.`;
}

function testSentence({
  method,
  baseline,
  task,
  difference,
  interval,
  pCorrected,
  verdict,
}: PairedTest): string {
  const by = `${difference < 0 ? "−" : "+"}${number(Math.abs(difference))}${interval ? `, ${number(interval.low)} to ${number(interval.high)}` : ""}`;
  const p =
    pCorrected === null
      ? ""
      : `; p ${pCorrected < 0.001 ? "< 0.001" : `= ${pCorrected.toFixed(3)}`} over items, corrected`;
  return verdict === "undecided"
    ? `On ${task} ${method} and ${baseline} cannot be told apart (${by}${p}).`
    : `On ${task} ${method} is ${verdict} than ${baseline} (${by}${p}).`;
}

function number(value: number): string {
  return value.toFixed(4).replace("-", "−");
}
