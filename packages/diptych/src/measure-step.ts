/** What a step of a configuration costs, before anything is trained: for budgets in operations or seconds. */
import { Run } from "@diptych/core/plugin";
import { createComponents } from "./components.js";
import type { OpenedConfig } from "./load-config.js";
import type { WatchOptions } from "./run-events.js";
import {
  buildStep,
  checkMemory,
  createRunLoader,
  createRunTrainer,
  runStepFlops,
} from "./run-step.js";

/**
 * Floating-point operations of one training step of a configuration, its teachers' included, as `TrainSummary.flops` of
 * its run will say.
 *
 * @throws what making its dataset, model, loss, backend and teachers throws.
 * @example
 * const steps = Math.floor(budget / (await measureStepFlops(await openConfigFile("configs/emoji.ts"))));
 */
export async function measureStepFlops(
  opened: OpenedConfig,
  { on = () => undefined, signal }: WatchOptions = {},
): Promise<number> {
  const run = new Run();
  try {
    await createComponents({ opened, run, on, signal });
    return runStepFlops(opened.config, run, buildStep(opened.config, run));
  } finally {
    await run.dispose();
  }
}

export interface TimeStepOptions extends WatchOptions {
  /** Of the training that is planned: a fiftieth of it is spent on timing, or as long as a few steps take. */
  readonly seconds: number;
}

/**
 * Seconds of one training step of a configuration on this machine, the wait for its batch included: the mean of a few
 * at the learning rate 0, after which nothing of them is left.
 *
 * @throws what {@link measureStepFlops} throws, and TrainingError on a loss that is not finite.
 */
export async function measureStepSeconds(
  opened: OpenedConfig,
  { seconds, on = () => undefined, signal }: TimeStepOptions,
): Promise<number> {
  const { config } = opened;
  const run = new Run();
  try {
    await createComponents({ opened, run, on, signal });
    const step = buildStep(config, run);
    checkMemory(config, run, step);
    const loader = createRunLoader(config, run, on);
    const trainer = await createRunTrainer(config, run, step);
    const batches = loader.batches({ startStep: 0, ...(signal ? { signal } : {}) });
    const { secondsPerStep } = await trainer.calibrateSteps({ seconds, batches, signal });
    return secondsPerStep;
  } finally {
    await run.dispose();
  }
}
