/** An embedding runtime of a model: pictures prepared in threads as the model wants them, towers on a backend. */
import type { Backend, ConstantPrecision } from "@diptych/core";
import { createImagePipeline, type EvaluationOptions } from "@diptych/data";
import {
  createEncoderRuntime,
  type EncoderRuntime,
  type ImageSource,
} from "./encode/encoder-runtime.js";
import type { ParameterSource } from "./encode/tower.js";
import type { LoadedModel } from "./read-model.js";
import { createScoreRuntime, type Score } from "./score/score-runtime.js";

export interface ModelRuntimeOptions {
  /** Samples embedded in one run. */
  readonly batchSize?: number;
  readonly precision?: ConstantPrecision;
  /** Changes of how pictures are prepared. */
  readonly images?: EvaluationOptions;
  /** Threads that prepare pictures. */
  readonly workers?: number;
}

/** What a runtime needs of a model. */
export type RunnableModel = Pick<
  LoadedModel,
  "model" | "tokenizer" | "pictures" | "parameters" | "scoring"
>;

/** A runtime that also scores pairs, where the model's loss taught it to. */
export interface ModelRuntime extends EncoderRuntime {
  readonly score?: Score;
}

export function createModelRuntime(
  {
    model,
    tokenizer,
    parameters,
    pictures,
    scoring,
  }: Omit<RunnableModel, "parameters"> & { readonly parameters: ParameterSource },
  backend: Backend,
  { images, workers, ...options }: ModelRuntimeOptions = {},
): ModelRuntime {
  const pipeline = createImagePipeline(
    { ...pictures, ...images },
    workers === undefined ? {} : { workers },
  );
  const shared = {
    backend,
    model,
    parameters,
    tokenizer,
    prepareImages: (sources: readonly ImageSource[], signal?: AbortSignal) =>
      pipeline.prepare(sources, signal ? { signal } : {}),
    ...options,
  };
  const runtime = createEncoderRuntime(shared);
  const scores = scoring && createScoreRuntime({ ...shared, plan: scoring });
  return Object.freeze({
    ...runtime,
    ...(scores ? { score: scores.score } : {}),
    dispose: async () => {
      await runtime.dispose();
      await scores?.dispose();
      await pipeline.dispose();
    },
  });
}
