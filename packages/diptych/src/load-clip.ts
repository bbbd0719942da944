/** The short API: a model from a folder, a file or a name, ready to embed pictures and texts. */
import {
  ConfigError,
  type Backend,
  type ConstantPrecision,
  type HostTensor,
  type Tokenizer,
} from "@diptych/core";
import { createOnnxBackend } from "@diptych/backend-onnx";
import type { EvaluationOptions } from "@diptych/data";
import { A_PHOTO_OF, similarities } from "@diptych/zeroshot";
import {
  allSimilarities,
  createLabelWeights,
  rankLabels,
  type Classification,
} from "./classification.js";
import { writeModel, type WriteModelOptions, type WriteNotes } from "./convert-model.js";
import type { Embed, Features, ImageSource } from "./encode/encoder-runtime.js";
import { createModelRuntime, type ModelRuntime } from "./model-runtime.js";
import type { Score } from "./score/score-runtime.js";
import { openModel, type OpenModel, type ReadModelOptions } from "./read-model.js";
import { LOG_SCALE, similarityScale } from "./similarity-scale.js";

/**
 * A permission to keep weights in fewer bits: `int8` multiplies 8-bit integers, about three times as fast and a little less
 * exact; `fp16` is float32 on ONNX Runtime's CPU, which has few kernels of it.
 */
export type Precision = "fp32" | "fp16" | "int8";

const PRECISIONS: Readonly<Record<Precision, ConstantPrecision>> = Object.freeze({
  fp32: "float32",
  fp16: "float16",
  int8: "int8",
});

export interface LoadClipOptions extends ReadModelOptions {
  /** Another backend than ONNX Runtime on the CPU. It stays the caller's to dispose. */
  readonly backend?: Backend;
  /** `fp32` by default. */
  readonly precision?: Precision;
  /** Threads of the backend that is made here; default: the physical cores. */
  readonly threads?: number;
  /** Samples embedded in one run; 32 by default. */
  readonly batchSize?: number;
  /** Changes of how pictures are prepared, e.g. `{ resize: "fast" }`. */
  readonly images?: EvaluationOptions;
  /** Threads that prepare pictures; default: one a processor, at most 8. */
  readonly workers?: number;
  /** Receives what the source does not say and was taken as usual; a warning of the process by default. */
  readonly log?: (line: string) => void;
}

export interface ClassifyOptions {
  /** Prompts with `{}` for the label; their mean is the label's vector. "a photo of a {}." by default. */
  readonly templates?: readonly string[];
  readonly signal?: AbortSignal;
}

/** A loaded model. */
export interface Clip {
  readonly embedDim: number;
  readonly tokenizer: Tokenizer;
  /** exp of the learned log scale: what cosines are multiplied with before a softmax. */
  readonly logitScale: number;
  /** [pictures, embedDim], in order, unit rows by default. @throws DataError naming a picture that cannot be read. */
  readonly encodeImages: Embed<readonly ImageSource[]>;
  /** [texts, embedDim], in order, unit rows by default. @throws DataError on a text longer than the context, unless it is cut. */
  readonly encodeTexts: Embed<readonly string[]>;
  /** Of pictures that are already prepared: float32 [n, channels, height, width], row after row. */
  readonly encodePixels: Embed<Float32Array>;
  /** Of texts that are already ids: int32 [n, contextLength], row after row. */
  readonly encodeTokens: Embed<Int32Array>;
  /** Cosines of each picture and each text: [pictures, texts]. Takes files and strings, or features. */
  similarity(
    images: readonly ImageSource[] | Features,
    texts: readonly string[] | Features,
  ): Promise<HostTensor<"float32">>;
  /**
   * What the model's loss taught it to score, [pictures, texts], larger where they fit better: for captioning, the logarithm
   * of a text's probability. @throws ConfigError where the loss scores nothing or was not saved with the model.
   */
  readonly score: Score;
  /** Labels of a picture, most probable first. */
  classify(
    image: ImageSource,
    labels: readonly string[],
    options?: ClassifyOptions,
  ): Promise<readonly Classification[]>;
  /** Writes the model as a folder for others to read. @returns what the folder cannot say, in words. */
  save(folder: string, options?: WriteModelOptions): Promise<WriteNotes>;
  dispose(): Promise<void>;
}

/**
 * Loads a model: a folder that `diptych train` wrote; a checkpoint of OpenAI, open_clip or Hugging Face transformers, file or
 * folder; or the name of one (`openai/clip-vit-base-patch32`, `ViT-B/32`, an https address), which is downloaded once.
 *
 * @throws CheckpointError when there is no such model or its tensors do not fit, ConfigError on an unsupported tower.
 * @example
 * const clip = await loadClip("quickstart/emoji-quickstart/model");
 * const [best] = await clip.classify("cat.png", ["cat", "dog"]);
 */
export async function loadClip(source: string, options: LoadClipOptions = {}): Promise<Clip> {
  const {
    backend: given,
    precision = "fp32",
    threads,
    batchSize,
    images,
    workers,
    ...reading
  } = options;
  const opened = await openModel(source, reading);
  const { log = (line: string) => process.emitWarning(line, "DiptychWarning") } = options;
  opened.assumed.forEach((assumption) => log(assumption));
  const backend = given ?? (await openBackend(threads, opened));
  const runtime = createModelRuntime({ ...opened, parameters: opened.readParameters }, backend, {
    precision: PRECISIONS[precision],
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(images === undefined ? {} : { images }),
    ...(workers === undefined ? {} : { workers }),
  });
  const scalars = await opened.readParameters(new Set([LOG_SCALE]));
  return createClip(opened, { runtime, logitScale: similarityScale(scalars) ?? 1 }, async () => {
    await runtime.dispose();
    await opened.close();
    if (!given) await backend.dispose();
  });
}

/** A model that cannot be run is closed again. */
async function openBackend(threads: number | undefined, opened: OpenModel): Promise<Backend> {
  try {
    return await createOnnxBackend(threads === undefined ? {} : { threads });
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function createClip(
  opened: OpenModel,
  { runtime, logitScale }: { readonly runtime: ModelRuntime; readonly logitScale: number },
  dispose: () => Promise<void>,
): Clip {
  const { tokenizer } = opened;
  const { images: encodeImages, texts: encodeTexts } = runtime;
  const weightsOf = createLabelWeights(runtime);
  return Object.freeze({
    embedDim: runtime.embedDim,
    tokenizer,
    logitScale,
    encodeImages,
    encodeTexts,
    encodePixels: runtime.pixels,
    encodeTokens: runtime.tokens,
    similarity: async (
      images: readonly ImageSource[] | Features,
      texts: readonly string[] | Features,
    ) => {
      const rows = isFeatures(images) ? images : await encodeImages(images);
      const columns = isFeatures(texts) ? texts : await encodeTexts(texts);
      return allSimilarities(rows, columns);
    },
    score: runtime.score ?? noScores(opened),
    classify: async (
      image: ImageSource,
      labels: readonly string[],
      { templates = A_PHOTO_OF, signal }: ClassifyOptions = {},
    ) => {
      const weights = await weightsOf(labels, templates);
      const features = await encodeImages([image], signal ? { signal } : {});
      return rankLabels(similarities(features, 0, weights), labels, logitScale);
    },
    save: async (folder: string, options: WriteModelOptions = {}) =>
      writeModel({ ...opened, parameters: await opened.readParameters() }, folder, options),
    dispose,
  });
}

/** For models whose loss says nothing else than the similarity of features. */
function noScores({ path, source, opened }: OpenModel): Score {
  const loss = opened?.config.loss.declaration.type;
  return () =>
    Promise.reject(
      new ConfigError(
        `diptych/score: ${path}: expected a model trained with a loss that scores pairs (captioning, bag-of-words-prediction), saved with the loss's parameters, got ${loss === undefined ? `one of ${source}` : `"${loss}"`}. Use similarity for the cosines of its features.`,
      ),
    );
}

function isFeatures(value: readonly unknown[] | Features): value is Features {
  return !Array.isArray(value);
}
