/** An embedding runtime of a model: pictures prepared in threads as the model wants them, towers on a backend. */
import type { Backend, ConstantPrecision } from "@diptych/core";
import { createImagePipeline, type EvaluationOptions } from "@diptych/data";
import { createEncoderRuntime, type EncoderRuntime } from "./encode/encoder-runtime.js";
import type { ParameterSource } from "./encode/tower.js";
import type { LoadedModel } from "./read-model.js";

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
export type RunnableModel = Pick<LoadedModel, "model" | "tokenizer" | "pictures" | "parameters">;

export function createModelRuntime(
  {
    model,
    tokenizer,
    parameters,
    pictures,
  }: Omit<RunnableModel, "parameters"> & { readonly parameters: ParameterSource },
  backend: Backend,
  { images, workers, ...options }: ModelRuntimeOptions = {},
): EncoderRuntime {
  const pipeline = createImagePipeline(
    { ...pictures, ...images },
    workers === undefined ? {} : { workers },
  );
  const runtime = createEncoderRuntime({
    backend,
    model,
    parameters,
    tokenizer,
    prepareImages: (sources, signal) => pipeline.prepare(sources, signal ? { signal } : {}),
    ...options,
  });
  return Object.freeze({
    ...runtime,
    dispose: async () => {
      await runtime.dispose();
      await pipeline.dispose();
    },
  });
}
