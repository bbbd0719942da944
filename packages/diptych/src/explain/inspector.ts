/** Looking inside a model: inner values by path name, and which places of a picture speak for a text. */
import {
  buildEncoders,
  ConfigError,
  createHostTensor,
  shapeOf,
  type Backend,
  type BuiltModel,
  type HostTensor,
  type Shape,
} from "@diptych/core";
import { createImagePipeline } from "@diptych/data";
import type { ImageSource } from "../encode/encoder-runtime.js";
import { createModelRuntime, type RunnableModel } from "../model-runtime.js";
import { createGraphCache } from "./graph-cache.js";
import { innerValues, towerOutput } from "./inspected-tower.js";
import { computeRelevance, type Relevance, type RelevanceOptions } from "./relevance.js";
import { seenRegion, type PictureSize, type Region } from "./seen-region.js";

export interface InspectOptions {
  readonly signal?: AbortSignal;
}

/** Host tensors by path name; the first axis counts the pictures or texts. */
export type Intermediates = Readonly<Record<string, HostTensor>>;

export interface InnerPath {
  readonly path: string;
  /** The first dimension is the batch's symbol. */
  readonly shape: Shape;
}

/** Each choice of values is compiled once and kept until `dispose`. */
export interface Inspector {
  /** What the tower of `modality` (`image`, `text`) has under which names. @throws ConfigError where there is no such tower. */
  paths(modality: string): readonly InnerPath[];
  /**
   * Inner values of pictures, e.g. `image/block11/attention` [n, heads, queries, keys] (rows sum to 1) and
   * `image/block11` [n, tokens, width]. All pictures run together.
   *
   * @throws ConfigError on an unknown path, naming those there are; DataError naming a picture that cannot be read.
   */
  intermediates(
    images: readonly ImageSource[],
    paths: readonly string[],
    options?: InspectOptions,
  ): Promise<Intermediates>;
  /** The same of texts, padded to the context length. */
  textIntermediates(
    texts: readonly string[],
    paths: readonly string[],
    options?: InspectOptions,
  ): Promise<Intermediates>;
  /** How much each place of a picture speaks for each text. @throws ConfigError where the method does not suit the tower. */
  relevance(
    image: ImageSource,
    texts: readonly string[],
    options?: RelevanceOptions,
  ): Promise<readonly Relevance[]>;
  /** The part of a picture of this size that the maps lie over. */
  seenRegion(size: PictureSize): Region;
  dispose(): Promise<void>;
}

/** An inspector of a loaded model; the backend stays the caller's. */
export function createInspector(loaded: RunnableModel, backend: Backend): Inspector {
  const { model, parameters, tokenizer, pictures } = loaded;
  const cache = createGraphCache(backend, parameters);
  const runtime = createModelRuntime(loaded, backend, { workers: 0 });
  const pipeline = createImagePipeline(pictures, { workers: 0 });
  const prepareImages = (
    images: readonly ImageSource[],
    signal: AbortSignal | undefined,
  ): Promise<HostTensor> => pipeline.prepare(images, signal ? { signal } : {});
  const build = (modality: string): BuiltModel => {
    checkModality(loaded, modality);
    return buildEncoders({ ...model, mode: "eval", modalities: [modality] });
  };
  const inner = async (
    modality: string,
    rows: HostTensor,
    { paths, signal }: InspectOptions & { readonly paths: readonly string[] },
  ): Promise<Intermediates> => {
    const wanted = [...new Set(paths)];
    if (wanted.length === 0) return {};
    const { results } = await cache.run({
      key: `inspect ${modality} ${wanted.join(" ")}`,
      plan: () => ({ outputs: innerValues(towerOutput(build(modality), modality), wanted) }),
      feeds: { [model.encoders[modality]?.inputs[0]?.name ?? modality]: rows },
      signal,
    });
    return results;
  };
  return Object.freeze({
    paths: (modality: string) =>
      Object.entries(towerOutput(build(modality), modality).intermediates).map(([path, value]) => ({
        path,
        shape: shapeOf(value),
      })),
    intermediates: async (
      images: readonly ImageSource[],
      paths: readonly string[],
      options: InspectOptions = {},
    ) => inner("image", await prepareImages(images, options.signal), { ...options, paths }),
    textIntermediates: async (
      texts: readonly string[],
      paths: readonly string[],
      options: InspectOptions = {},
    ) => {
      const { ids, batch, contextLength } = tokenizer.encodeBatch(texts);
      const rows = createHostTensor("int32", [batch, contextLength], ids);
      return inner("text", rows, { ...options, paths });
    },
    relevance: async (
      image: ImageSource,
      texts: readonly string[],
      options: RelevanceOptions = {},
    ) => {
      const { signal } = options;
      const pixels = await prepareImages([image], signal);
      const features = await runtime.texts(texts, signal ? { signal } : {});
      const request = { loaded, cache, pixels, texts, features };
      return computeRelevance(request, options, () => build("image"));
    },
    seenRegion: (size: PictureSize) => seenRegion(size, pictures),
    dispose: async () => {
      await cache.dispose();
      await runtime.dispose();
      await pipeline.dispose();
    },
  });
}

function checkModality({ model }: RunnableModel, modality: string): void {
  if (model.encoders[modality]) return;
  throw new ConfigError(
    `diptych/inspect: ${modality}: expected an encoder of it, got ${Object.keys(model.encoders).join(", ")}. Use a model that has one.`,
  );
}
