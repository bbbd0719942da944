/** Embedding: any number of pictures and texts, in batches, one compiled graph a modality, weights on the device. */
import type {
  Backend,
  ConstantPrecision,
  EncodeFunctions,
  HostTensor,
  Image,
  MultiEncoder,
  Tokenizer,
} from "@diptych/core";
import { createImageEmbedding } from "./embed-images.js";
import { createTextEmbedding } from "./embed-texts.js";
import { createTowers, type ParameterSource } from "./tower.js";

/** A picture: a path, the bytes of a file, or decoded pixels. */
export type ImageSource = string | Uint8Array | Image;

export interface EncoderRuntimeOptions {
  readonly backend: Backend;
  readonly model: MultiEncoder;
  readonly parameters: ParameterSource;
  readonly tokenizer: Tokenizer;
  /** Pictures to the image tower's input [n, channels, height, width]. */
  readonly prepareImages: (
    images: readonly ImageSource[],
    signal?: AbortSignal,
  ) => Promise<HostTensor<"float32">>;
  /** Samples embedded in one run; 32 by default. */
  readonly batchSize?: number;
  /** In how many bits weights are kept; float32 by default. */
  readonly precision?: ConstantPrecision;
}

export interface EncodeOptions {
  /** Whether rows are scaled to length 1; true by default. */
  readonly normalize?: boolean;
  /** Told after each batch. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Rows of features: [n, embedDim]. */
export type Features = HostTensor<"float32">;

/** Embeds `inputs`, in order. */
export type Embed<Inputs> = (inputs: Inputs, options?: EncodeOptions) => Promise<Features>;

/** Embeds in the order of its inputs; `dispose` frees what it put on the device. */
export interface EncoderRuntime extends EncodeFunctions {
  readonly embedDim: number;
  readonly images: Embed<readonly ImageSource[]>;
  readonly texts: Embed<readonly string[]>;
  /** Prepared pictures, row after row: [n, channels, height, width]. @throws ShapeError on another length. */
  readonly pixels: Embed<Float32Array>;
  /** Ids of texts, row after row: [n, contextLength], padded after the end. @throws ShapeError on another length. */
  readonly tokens: Embed<Int32Array>;
  readonly dispose: () => Promise<void>;
}

export const DEFAULT_BATCH = 32;

/** Towers are compiled when they are first needed: who embeds only texts never loads the image tower. */
export function createEncoderRuntime(options: EncoderRuntimeOptions): EncoderRuntime {
  const { model, tokenizer, prepareImages, batchSize = DEFAULT_BATCH } = options;
  const { embedDim } = model;
  const towers = createTowers(options);
  const imageTower = (): ReturnType<typeof towers.of> => towers.of("image");
  const textTower = (): ReturnType<typeof towers.of> => towers.of("text");
  return Object.freeze({
    embedDim,
    ...createImageEmbedding({ embedDim, batchSize, prepareImages, tower: imageTower }),
    ...createTextEmbedding({ model, batchSize, tokenizer, tower: textTower }),
    dispose: () => towers.dispose(),
  });
}
