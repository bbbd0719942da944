/** The short API: a model from a folder, ready to embed pictures and texts. */
import {
  CheckpointError,
  ConfigError,
  createConfiguredModel,
  buildEncoders,
  type Backend,
  type HostTensor,
  type Image,
  type MultiEncoder,
  type Tokenizer,
} from "@diptych/core";
import type { Plugin, Registry } from "@diptych/core/plugin";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { loadParameters, openCheckpoint } from "@diptych/checkpoints";
import { decodeImage, prepareImages, type PrepareOptions } from "@diptych/data";
import { createBpeTokenizer } from "@diptych/text-transformer";
import {
  buildClassWeights,
  similarities,
  topCandidates,
  A_PHOTO_OF,
  type Embeddings,
} from "@diptych/zeroshot";
import { createEncoderRuntime, type EncoderRuntime } from "./encode.js";
import { openConfig, type OpenedConfig } from "./load-config.js";
import { parseModelMetadata } from "./model-folder.js";
import { createOpenClipModel } from "./open-clip-model.js";

/** A picture: a path, the bytes of a file, or decoded pixels. */
export type ImageSource = string | Uint8Array | Image;

export interface LoadClipOptions {
  /** Another backend than ONNX Runtime on the CPU. It stays the caller's to dispose. */
  readonly backend?: Backend;
  /** Plugins that the model's configuration needs beside the default ones. */
  readonly plugins?: readonly Plugin[];
  readonly batchSize?: number;
}

export interface Classification {
  readonly label: string;
  /** Softmax over the labels at the model's own scale. */
  readonly probability: number;
}

/** A loaded model. */
export interface Clip {
  readonly embedDim: number;
  readonly tokenizer: Tokenizer;
  /** exp of the learned log scale. */
  readonly logitScale: number;
  /** Unit rows [pictures, embedDim]. @throws DataError naming a picture that cannot be read. */
  readonly encodeImages: (images: readonly ImageSource[]) => Promise<HostTensor<"float32">>;
  /** Unit rows [texts, embedDim]. @throws DataError on a text longer than the context. */
  readonly encodeTexts: (texts: readonly string[]) => Promise<HostTensor<"float32">>;
  /** Labels of a picture, most probable first. */
  classify(
    image: ImageSource,
    labels: readonly string[],
    templates?: readonly string[],
  ): Promise<readonly Classification[]>;
  dispose(): Promise<void>;
}

export interface LoadedModel {
  readonly model: MultiEncoder;
  readonly tokenizer: Tokenizer;
  readonly parameters: ReadonlyMap<string, HostTensor>;
  readonly prepare: Omit<PrepareOptions, "imageHeight" | "imageWidth">;
  readonly step?: number;
  /** The configuration that it was trained with, where it says. */
  readonly opened?: OpenedConfig;
}

/**
 * Loads a model from a folder: one that `diptych train` wrote, or open_clip's (ViT with CLIP's text transformer).
 *
 * @throws CheckpointError when there is no such model or its tensors do not fit, ConfigError on an unsupported tower.
 * @example
 * const clip = await loadClip("quickstart/model");
 * const [best] = await clip.classify("cat.png", ["a cat", "a dog"]);
 */
export async function loadClip(path: string, options: LoadClipOptions = {}): Promise<Clip> {
  const loaded = await readModel(path, options.plugins ?? []);
  const backend = options.backend ?? (await createOnnxBackend());
  const runtime = createModelRuntime(loaded, backend, options.batchSize);
  return createClip(loaded, runtime, async () => {
    await runtime.dispose();
    if (!options.backend) await backend.dispose();
  });
}

/** An embedding runtime of a loaded model. */
export function createModelRuntime(
  { model, tokenizer, parameters, prepare }: LoadedModel,
  backend: Backend,
  batchSize?: number,
): EncoderRuntime {
  const { imageHeight, imageWidth } = imageFacts(model);
  return createEncoderRuntime({
    backend,
    model,
    parameters,
    tokenizer,
    prepareImages: (images) => prepareImages(images, { ...prepare, imageHeight, imageWidth }),
    ...(batchSize === undefined ? {} : { batchSize }),
  });
}

/** Size of the image tower's input. @throws ConfigError where the tower does not say. */
export function imageFacts(model: MultiEncoder): {
  readonly imageHeight: number;
  readonly imageWidth: number;
} {
  const facts = model.encoders["image"]?.facts ?? {};
  const { imageHeight, imageWidth } = facts;
  if (typeof imageHeight === "number" && typeof imageWidth === "number") {
    return { imageHeight, imageWidth };
  }
  throw new ConfigError(
    `diptych/imageFacts: image encoder: expected facts imageHeight and imageWidth, got ${Object.keys(facts).join(", ") || "none"}. Add them to what the encoder's plugin returns.`,
  );
}

/** Reads a model folder of ours or of open_clip's. */
export async function readModel(path: string, plugins: readonly Plugin[]): Promise<LoadedModel> {
  const { format, reader } = await openCheckpoint(path);
  try {
    if (format.name === "diptych") return await readOwnModel(path, reader, plugins);
    if (format.name === "open-clip") return await readOpenClipModel(reader);
  } finally {
    await reader.close();
  }
  throw new CheckpointError(
    `diptych/loadClip: ${path}: expected the folder of a model, got a checkpoint of the format "${format.name}". Give the "model" folder of a finished run, or an open_clip folder.`,
  );
}

type Reader = Awaited<ReturnType<typeof openCheckpoint>>["reader"];

async function readOwnModel(
  path: string,
  reader: Reader,
  plugins: readonly Plugin[],
): Promise<LoadedModel> {
  const metadata = parseModelMetadata(reader.metadata, path);
  const opened = await openConfig({ ...metadata.config, plugins: metadata.plugins } as never, {
    plugins,
    source: `${path}/diptych.json`,
  });
  const { config, registry } = opened;
  const tokenizer = await restoreTokenizer(registry, metadata.tokenizer);
  const model = createConfiguredModel(config.model, { tokenizer });
  const specs = buildEncoders({ ...model, mode: "eval" }).parameters;
  const { tensors } = await loadParameters(reader, specs);
  const { mean, std } = config.data;
  return {
    model,
    tokenizer,
    parameters: tensors,
    prepare: { mean, std },
    step: metadata.step,
    opened,
  };
}

/** A tokenizer as it was saved. */
async function restoreTokenizer(
  registry: Registry,
  state: ReturnType<Tokenizer["toJSON"]>,
): Promise<Tokenizer> {
  const declaration = registry.find("tokenizer", state.type);
  const config: unknown = declaration.schema.parse({});
  return declaration.create(config as never, { captions: () => [], state });
}

type Triple = readonly [number, number, number];

async function readOpenClipModel(reader: Reader): Promise<LoadedModel> {
  const { model_cfg, preprocess_cfg } = reader.metadata as {
    model_cfg?: { text_cfg?: { context_length?: number } };
    preprocess_cfg?: { mean?: Triple; std?: Triple; resize_mode?: string };
  };
  const model = createOpenClipModel(model_cfg);
  const specs = buildEncoders({ ...model, mode: "eval" }).parameters;
  const { tensors } = await loadParameters(reader, specs);
  const { mean, std, resize_mode: mode } = preprocess_cfg ?? {};
  return {
    model,
    tokenizer: createBpeTokenizer({
      contextLength: model_cfg?.text_cfg?.context_length ?? 77,
      truncate: "cut",
    }),
    parameters: tensors,
    prepare: {
      ...(mean ? { mean } : {}),
      ...(std ? { std } : {}),
      resize: mode === "squash" ? "squash" : "crop",
    },
  };
}

async function decode(source: ImageSource): Promise<Image> {
  return typeof source === "string" || source instanceof Uint8Array ? decodeImage(source) : source;
}

function createClip(
  loaded: LoadedModel,
  runtime: EncoderRuntime,
  dispose: () => Promise<void>,
): Clip {
  const logitScale = Math.exp(loaded.parameters.get("logit_scale")?.data[0] ?? 0);
  const encodeImages = async (images: readonly ImageSource[]) =>
    runtime.images(await Promise.all(images.map(decode)));
  return Object.freeze({
    embedDim: runtime.embedDim,
    tokenizer: loaded.tokenizer,
    logitScale,
    encodeImages,
    encodeTexts: (texts: readonly string[]) => runtime.texts(texts),
    classify: async (
      image: ImageSource,
      labels: readonly string[],
      templates: readonly string[] = A_PHOTO_OF,
    ) => {
      const weights = await buildClassWeights({ encode: runtime, classNames: labels, templates });
      return probabilities(await encodeImages([image]), weights, labels, logitScale);
    },
    dispose,
  });
}

function probabilities(
  image: Embeddings,
  weights: Embeddings,
  labels: readonly string[],
  scale: number,
): readonly Classification[] {
  const scores = similarities(image, 0, weights).map((score) => score * scale);
  const largest = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
  return topCandidates(scores, labels.length).map((i) => ({
    label: labels[i] ?? "",
    probability: Math.exp((scores[i] ?? 0) - largest) / total,
  }));
}
