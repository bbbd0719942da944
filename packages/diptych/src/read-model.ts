/** Reading a model from where it is kept: what it is made of, its weights, its tokenizer, how its pictures are prepared. */
import {
  buildEncoders,
  createConfiguredModel,
  type CheckpointReader,
  type HostTensor,
  type MultiEncoder,
  type Tokenizer,
} from "@diptych/core";
import type { Plugin, Registry } from "@diptych/core/plugin";
import {
  loadParameters,
  modelFolder,
  openCheckpoint,
  readModelSource,
  type OpenClipModelConfig,
} from "@diptych/checkpoints";
import {
  evaluationSettingsFrom,
  resolveEvaluationSettings,
  type EvaluationSettings,
} from "@diptych/data";
import { createBpeTokenizer } from "@diptych/text-transformer";
import { findModel, type ModelPullOptions } from "./find-model.js";
import { imageFacts } from "./image-facts.js";
import { openConfig, type OpenedConfig } from "./load-config.js";
import { parseModelMetadata } from "./model-folder.js";
import { createOpenClipModel } from "./open-clip-model.js";

export interface ReadModelOptions {
  /** Plugins that the model's configuration needs beside the default ones. */
  readonly plugins?: readonly Plugin[];
  /** open_clip's `model_cfg`, for files that hold weights alone. */
  readonly modelConfig?: unknown;
  /** Names (globs with `*`) of parameters that the checkpoint may lack. */
  readonly allowMissing?: readonly string[];
  /** Another size of pictures than the model was trained on: its position embeddings are resized, as open_clip does. */
  readonly imageSize?: number;
  /** For a source that is a name. */
  readonly pull?: ModelPullOptions;
}

export interface LoadedModel {
  /** Where it was found. */
  readonly path: string;
  readonly source: "diptych" | "openai" | "open-clip" | "hugging-face";
  readonly model: MultiEncoder;
  readonly tokenizer: Tokenizer;
  readonly parameters: ReadonlyMap<string, HostTensor>;
  /** How pictures become the image tower's input. */
  readonly pictures: EvaluationSettings;
  /** What the source does not say and was taken as usual, in words. */
  readonly assumed: readonly string[];
  /** open_clip's words for the architecture, of public checkpoints. */
  readonly modelConfig?: OpenClipModelConfig;
  /** Training steps behind the weights, where it says. */
  readonly step?: number;
  /** The configuration that it was trained with, where it says. */
  readonly opened?: OpenedConfig;
}

/**
 * Reads a model: a folder that `diptych train` wrote, or a public CLIP checkpoint of any format, by path or by name.
 *
 * @throws CheckpointError where there is none, or its tensors do not fit; ConfigError on an unsupported tower.
 */
export async function readModel(
  source: string,
  options: ReadModelOptions = {},
): Promise<LoadedModel> {
  const path = await findModel(source, options.pull);
  return (await modelFolder.detect(path))
    ? readOwnModel(path, options)
    : readPublicModel(path, options);
}

async function readOwnModel(path: string, options: ReadModelOptions): Promise<LoadedModel> {
  const { reader } = await openCheckpoint(path);
  try {
    const metadata = parseModelMetadata(reader.metadata, path);
    const opened = await openConfig({ ...metadata.config, plugins: metadata.plugins } as never, {
      plugins: options.plugins ?? [],
      source: `${path}/diptych.json`,
      ...(options.imageSize === undefined
        ? {}
        : { set: [`model.encoders.image.imageSize=${options.imageSize}`] }),
    });
    const { config, registry } = opened;
    const tokenizer = await restoreTokenizer(registry, metadata.tokenizer);
    const model = createConfiguredModel(config.model, { tokenizer });
    return Object.freeze({
      path,
      source: "diptych",
      model,
      tokenizer,
      parameters: await parametersOf(model, reader, options),
      pictures: trainedPictures(config.data, model),
      assumed: [],
      step: metadata.step,
      opened,
    });
  } finally {
    await reader.close();
  }
}

/** As training prepares pictures that no transform changes: the shorter side to size, the centre, on white. */
export function trainedPictures(
  { mean, std }: Pick<EvaluationSettings, "mean" | "std">,
  model: MultiEncoder,
): EvaluationSettings {
  return resolveEvaluationSettings({
    ...imageFacts(model),
    mean,
    std,
    background: [255, 255, 255],
  });
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

async function readPublicModel(path: string, options: ReadModelOptions): Promise<LoadedModel> {
  const found = await readModelSource(
    path,
    options.modelConfig === undefined ? {} : { modelConfig: options.modelConfig },
  );
  const { reader, source, preprocessConfig, assumed } = found;
  const modelConfig = atSize(found.modelConfig, options.imageSize);
  try {
    const model = createOpenClipModel(modelConfig);
    return Object.freeze({
      path,
      source,
      model,
      // open_clip cuts longer texts, keeping their end-of-text.
      tokenizer: createBpeTokenizer({
        contextLength: modelConfig.text_cfg.context_length ?? 77,
        truncate: "cut",
      }),
      parameters: await parametersOf(model, reader, options),
      // The tower alone decides the size.
      pictures: evaluationSettingsFrom(preprocessConfig ?? {}, imageFacts(model)),
      assumed,
      modelConfig,
    });
  } finally {
    await reader.close();
  }
}

function atSize(config: OpenClipModelConfig, imageSize: number | undefined): OpenClipModelConfig {
  if (imageSize === undefined) return config;
  return { ...config, vision_cfg: { ...config.vision_cfg, image_size: imageSize } };
}

async function parametersOf(
  model: MultiEncoder,
  reader: CheckpointReader,
  { allowMissing = [], imageSize }: ReadModelOptions,
): Promise<ReadonlyMap<string, HostTensor>> {
  const specs = buildEncoders({ ...model, mode: "eval" }).parameters;
  const resizePositions = imageSize !== undefined;
  return (await loadParameters(reader, specs, { allowMissing, resizePositions })).tensors;
}
