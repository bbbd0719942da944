// The golden models and runs on one engine of one backend; where the engine is not installed, a skip that says why.
import { hostValues, type Backend } from "@diptych/core";
import { describeWhereAvailable } from "@diptych/testing";
import { test } from "vitest";
import {
  describeModelGoldens,
  goldenModels,
  type GraphRunner,
} from "./models.golden.test-support.js";
import { goldenTrainings } from "./training-run.golden.test-support.js";
import type { GoldenTolerances } from "./tolerances.golden.test-support.js";
import { describeTrainingGoldens } from "./training.golden.test-support.js";

/** Runs graphs on a backend, each compiled for one run. */
async function createGraphRunner(backend: Backend): Promise<GraphRunner> {
  return {
    run: async (graph, feeds) => {
      const executable = await backend.compile(graph);
      const outputs = await executable.run(feeds);
      const values: Record<string, ArrayLike<number>> = {};
      for (const [name, tensor] of Object.entries(outputs)) {
        values[name] = hostValues(await tensor.read());
        tensor.dispose();
      }
      await executable.dispose();
      return values;
    },
    dispose: () => backend.dispose(),
  };
}

export interface EngineGoldens {
  readonly label: string;
  readonly create: () => Promise<Backend>;
  readonly tolerances: GoldenTolerances;
  /** Models that it computes, and runs that it repeats; all by default. */
  readonly models?: readonly string[];
  readonly trainings?: readonly string[];
  /** Whether each step of a run is judged from float64's state too; false by default. */
  readonly eachStep?: boolean;
}

/** Declares the suites of one engine. */
export function describeEngineGoldens({
  label,
  create,
  tolerances,
  models = goldenModels(),
  trainings = goldenTrainings(),
  eachStep = false,
}: EngineGoldens): void {
  describeModelGoldens(label, async () => createGraphRunner(await create()), {
    tolerances,
    models,
  });
  describeTrainingGoldens(label, create, { tolerances, names: trainings, eachStep });
  skipRest(`models on ${label}`, goldenModels(), models);
  skipRest(`training on ${label}`, goldenTrainings(), trainings);
}

/** What is left out is seen. */
function skipRest(what: string, all: readonly string[], chosen: readonly string[]): void {
  const left = all.filter((name) => !chosen.includes(name));
  if (left.length > 0) test.skip(`${what}: ${left.join(", ")}: too slow there`, () => undefined);
}

/** A model that even a software renderer is soon done with. */
export const SMALLEST_MODEL: readonly string[] = goldenModels().slice(-1);

/** The same where the engine is there; else a skipped test that says what is missing. */
export const describeInstalledEngine = (goldens: EngineGoldens): Promise<void> =>
  describeWhereAvailable(`goldens on ${goldens.label}`, goldens.create, () =>
    describeEngineGoldens(goldens),
  );
