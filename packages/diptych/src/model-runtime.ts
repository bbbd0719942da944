/** An embedding runtime of a loaded model. */
import type { Backend, ConstantPrecision } from "@diptych/core";
import { decodeImage, prepareImages } from "@diptych/data";
import {
  createEncoderRuntime,
  type EncoderRuntime,
  type EncoderRuntimeOptions,
  type ImageSource,
} from "./encode/encoder-runtime.js";
import { imageFacts } from "./image-facts.js";
import type { LoadedModel } from "./read-model.js";

export interface ModelRuntimeOptions {
  readonly batchSize?: number;
  readonly precision?: ConstantPrecision;
}

export function createModelRuntime(
  loaded: LoadedModel,
  backend: Backend,
  options: ModelRuntimeOptions = {},
): EncoderRuntime {
  const { model, tokenizer, parameters } = loaded;
  return createEncoderRuntime({
    backend,
    model,
    parameters,
    tokenizer,
    prepareImages: createImagePreparation(loaded),
    ...options,
  });
}

/** What turns pictures into the input of a model's image tower: [n, channels, imageHeight, imageWidth]. */
export function createImagePreparation({
  model,
  prepare,
}: LoadedModel): EncoderRuntimeOptions["prepareImages"] {
  const { imageHeight, imageWidth } = imageFacts(model);
  return async (sources) =>
    prepareImages(await Promise.all(sources.map(decode)), { ...prepare, imageHeight, imageWidth });
}

async function decode(source: ImageSource): ReturnType<typeof decodeImage> {
  return typeof source === "string" || source instanceof Uint8Array ? decodeImage(source) : source;
}
