/** Preparing any number of pictures for a model: decoded, resized and normalised in worker threads, in order. */
import { createHostTensor, type HostTensor } from "@diptych/core";
import type { ImageSource } from "../image/decode-raster.js";
import { createEvaluationTransform } from "./evaluation-transform.js";
import type { EvaluationOptions, EvaluationSettings } from "./settings.js";

export interface PipelineOptions {
  /** Threads; default one for each processor, at most 8. 0 works on the calling thread. */
  readonly workers?: number;
}

export interface PrepareCall {
  readonly signal?: AbortSignal;
}

export interface ImagePipeline {
  readonly settings: EvaluationSettings;
  /** float32 [n, 3, imageHeight, imageWidth], in the order of `sources`. @throws DataError of the first that fails. */
  prepare(sources: readonly ImageSource[], call?: PrepareCall): Promise<HostTensor<"float32">>;
  /** Ends the threads, once what they work on is done. */
  dispose(): Promise<void>;
}

/** A pool of threads around {@link createEvaluationTransform}. */
export function createImagePipeline(
  options: EvaluationOptions = {},
  _pipeline: PipelineOptions = {},
): ImagePipeline {
  const transform = createEvaluationTransform(options);
  const { settings } = transform;
  const { imageHeight, imageWidth } = settings;
  const size = 3 * imageHeight * imageWidth;
  return Object.freeze({
    settings,
    prepare: async (sources, { signal } = {}) => {
      const data = new Float32Array(sources.length * size);
      for (const [i, source] of sources.entries()) {
        signal?.throwIfAborted();
        await transform.write(source, data, i * size);
      }
      return createHostTensor("float32", [sources.length, 3, imageHeight, imageWidth], data);
    },
    dispose: async () => undefined,
  } satisfies ImagePipeline);
}
