/** Evaluators on the weights of a run: midway, for curves, and when it has ended. */
import type { HostTensor, MultiEncoder } from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import type { Run } from "@diptych/core/plugin";
import type { Trainer } from "@diptych/training";
import { BACKEND, MODEL, TOKENIZER } from "./components.js";
import { evaluate, type Evaluations } from "./evaluate.js";
import type { OpenedConfig } from "./load-config.js";
import { createModelRuntime } from "./model-runtime.js";
import { trainedPictures } from "./read-model.js";
import type { RunListener } from "./run-events.js";
import type { ScorePlan } from "./score/plan-scores.js";

/** What the evaluators find at a step of a run. */
export interface MidwayEvaluation {
  /** Steps done. */
  readonly step: number;
  /** Without hashes of the data, which are the same at the end. */
  readonly evaluations: Evaluations;
}

/** Evaluations during a run, at the cost of their time and of one more copy of the weights. */
export interface Midway {
  /** Steps after which to evaluate. */
  readonly steps: readonly number[];
  /** Awaited before the run goes on. */
  readonly on: (evaluation: MidwayEvaluation) => Promise<void> | void;
}

export interface EvaluateRunOptions {
  /** The run's own configuration: how its pictures are prepared. */
  readonly opened: OpenedConfig;
  /** The configuration with the evaluators. */
  readonly evaluateWith: OpenedConfig;
  /** How the run's loss scores pairs, where it does. */
  readonly scoring: ScorePlan | undefined;
  readonly fingerprints: boolean;
  readonly on: RunListener;
  readonly signal: AbortSignal | undefined;
}

/** Measures weights of a run; nothing where there are no evaluators. */
export async function evaluateRun(
  run: Run,
  parameters: ReadonlyMap<string, HostTensor>,
  { opened, evaluateWith, scoring, fingerprints, on, signal }: EvaluateRunOptions,
): Promise<Evaluations> {
  if (evaluateWith.config.evaluators.length === 0) return {};
  const model: MultiEncoder = run.get(MODEL);
  const tokenizer = run.get(TOKENIZER);
  const pictures = trainedPictures(opened.config.data, model);
  const backend = run.get(BACKEND);
  const encode = createModelRuntime({ model, tokenizer, parameters, pictures, scoring }, backend);
  try {
    return await evaluate({
      opened: evaluateWith,
      encode,
      compute: createCompute(backend),
      tokenizer,
      parameters,
      fingerprints,
      signal,
      on,
      report: (name, done, total) =>
        on({ event: "prepare", what: `evaluating ${name}`, done, total }),
    });
  } finally {
    await encode.dispose();
  }
}

/** Evaluates where `midway` asks for it, and says how many seconds that took so far. */
export function createMidwayEvaluation(
  run: Run,
  midway: Midway | undefined,
  options: EvaluateRunOptions & { readonly average: boolean },
): {
  readonly at: (step: number, trainer: Trainer) => Promise<void>;
  readonly seconds: () => number;
} {
  const steps = new Set(midway?.steps);
  let spent = 0;
  return {
    at: async (step, trainer) => {
      if (!midway || !steps.has(step)) return;
      const begun = performance.now();
      const parameters = await trainer.readParameters({ average: options.average });
      const evaluations = await evaluateRun(run, parameters, options);
      await midway.on({ step, evaluations });
      spent += (performance.now() - begun) / 1000;
    },
    seconds: () => spent,
  };
}
