/** What a step of a configuration costs, before anything is trained: for budgets that are given in operations. */
import { Run } from "@diptych/core/plugin";
import { createComponents } from "./components.js";
import type { OpenedConfig } from "./load-config.js";
import type { RunListener } from "./run-events.js";
import { buildStep, runStepFlops } from "./run-step.js";

export interface MeasureStepOptions {
  readonly on?: RunListener;
  readonly signal?: AbortSignal;
}

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
  { on = () => undefined, signal }: MeasureStepOptions = {},
): Promise<number> {
  const run = new Run();
  try {
    await createComponents({ opened, run, on, signal });
    return runStepFlops(opened.config, run, buildStep(opened.config, run));
  } finally {
    await run.dispose();
  }
}
