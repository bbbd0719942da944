/** What a comparison will do, decided before anything is trained: methods, seeds, steps, and the evaluators for all. */
import { isDeepStrictEqual } from "node:util";
import { ConfigError, uniqueNames } from "@diptych/core";
import { measureStepFlops, openConfigFile, type OpenedConfig, type WatchOptions } from "diptych";
import type { Budget } from "../comparison.js";
import { stepsWithin, type StepCost } from "./budget.js";
import { timeInTurns, type StepTimer } from "./step-seconds.js";

export interface ComparisonOptions {
  /** Configuration files; the first one is the baseline. */
  readonly files: readonly string[];
  readonly seeds: readonly number[];
  readonly budget: Budget;
  /** Each configuration's `tiny` laid over it: a comparison of seconds, to see that it runs. */
  readonly tiny?: boolean;
  /** Assignments `path=value` for all methods. */
  readonly set?: readonly string[];
}

/** A method by its configuration. */
export interface ComparedMethod {
  /** Name of its configuration, made unique. */
  readonly method: string;
  readonly file: string;
  /** As its file says, but for what holds for all methods. */
  readonly opened: OpenedConfig;
}

/** The configurations of a comparison. */
export interface OpenedComparison {
  readonly methods: readonly ComparedMethod[];
  /** The baseline's configuration: its evaluators measure every method. */
  readonly evaluateWith: OpenedConfig;
}

/** One method of a comparison, and what it may spend. */
export interface PlannedMethod extends ComparedMethod {
  readonly cost: StepCost;
  readonly steps: number;
  /** What it says that the comparison does not take. */
  readonly notes: readonly string[];
}

export interface ComparisonPlan extends OpenedComparison {
  readonly methods: readonly PlannedMethod[];
  readonly seeds: readonly number[];
  readonly budget: Budget;
}

export interface PlanContext extends WatchOptions {
  /** Times the steps for a budget of seconds; {@link timeInTurns} by default. */
  readonly timer?: StepTimer;
}

/**
 * Opens the configurations and turns the budget into steps.
 *
 * @throws ConfigError without a seed, with one twice, on a budget too small for one step, and as {@link openComparison}.
 */
export async function planComparison(
  options: ComparisonOptions,
  context: PlanContext = {},
): Promise<ComparisonPlan> {
  const { seeds, budget } = options;
  checkSeeds(seeds);
  const { methods: compared, evaluateWith } = await openComparison(options);
  const { timer = timeInTurns, ...watch } = context;
  const costs: StepCost[] = [];
  for (const { opened } of compared) {
    const { training, data } = opened.config;
    const samples = training.batchSize * data.imagesPerSample;
    costs.push({ samples, flops: await measureStepFlops(opened, watch) });
  }
  // After the operations: those have prepared the data, and told of it.
  const times = budget.kind === "seconds" ? await timer(compared, budget.amount, watch) : undefined;
  const methods = compared.map((one, i): PlannedMethod => {
    const cost = { ...costs[i]!, ...(times ? { seconds: times[i]! } : {}) };
    const steps = stepsWithin(budget, one.method, cost);
    return { ...one, cost, steps, notes: notesOn(one.opened, evaluateWith) };
  });
  return Object.freeze({ methods, seeds, budget, evaluateWith });
}

/**
 * Opens the configurations of a comparison, the baseline's first.
 *
 * @throws ConfigError with fewer than two, without evaluators in the baseline, and what the configurations throw.
 */
export async function openComparison({
  files,
  tiny = false,
  set = [],
}: Pick<ComparisonOptions, "files" | "tiny" | "set">): Promise<OpenedComparison> {
  if (files.length < 2) {
    throw new ConfigError(
      `benchmark/compare: methods: expected a baseline and at least one method, got ${files.length} configuration. Name two files or more: diptych benchmark compare baseline.ts method.ts`,
    );
  }
  const opened: OpenedConfig[] = [];
  for (const file of files) opened.push(await openConfigFile(file, { tiny, set }));
  const [baseline] = opened as [OpenedConfig];
  if (baseline.config.evaluators.length === 0) {
    throw new ConfigError(
      `benchmark/compare: evaluators: expected at least one in the baseline ${baseline.source}, got none. Add evaluators: [{ evaluator: zeroshotClassification(), dataset: … }].`,
    );
  }
  const names = uniqueNames(opened.map(({ config }) => config.name));
  const methods = opened.map((one, i) => ({ method: names[i]!, file: files[i]!, opened: one }));
  return Object.freeze({ methods, evaluateWith: baseline });
}

/** A method's configuration under one seed. */
export function openSeed(
  { file, steps }: PlannedMethod,
  seed: number,
  { tiny = false, set = [] }: Pick<ComparisonOptions, "tiny" | "set">,
): Promise<OpenedConfig> {
  const length = ["duration=undefined", "epochs=undefined", `steps=${steps}`];
  return openConfigFile(file, {
    tiny,
    set: [...set, ...length.map((one) => `training.${one}`), `seed=${seed}`],
  });
}

function checkSeeds(seeds: readonly number[]): void {
  if (seeds.length === 0) {
    throw new ConfigError(
      "benchmark/compare: seeds: expected at least one, got none. Give --seeds 5 or --seeds 0,1,2: with fewer than three nothing can be said of other seeds.",
    );
  }
  const twice = seeds.find((seed, i) => seeds.indexOf(seed) !== i);
  if (twice === undefined) return;
  throw new ConfigError(
    `benchmark/compare: seeds: expected each once, got ${twice} twice. The same seed gives the same run.`,
  );
}

/** What of a method's configuration the comparison sets aside. */
function notesOn(method: OpenedConfig, baseline: OpenedConfig): readonly string[] {
  const evaluatorsOf = ({ config }: OpenedConfig): unknown => config.plain["evaluators"];
  if (
    method.config.evaluators.length === 0 ||
    isDeepStrictEqual(evaluatorsOf(method), evaluatorsOf(baseline))
  ) {
    return [];
  }
  return [
    `its own evaluators are set aside: every method is measured by those of ${baseline.config.name}`,
  ];
}
