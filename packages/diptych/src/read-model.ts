/** Reading a model from where it is kept: what it is made of, its weights, its tokenizer, how its pictures are prepared. */
import {
  buildEncoders,
  createConfiguredModel,
  createRandom,
  initialiseParameters,
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
import { createLoss } from "./create-loss.js";
import { findModel, type ModelPullOptions } from "./find-model.js";
import { imageFacts } from "./image-facts.js";
import { openConfig, type OpenedConfig } from "./load-config.js";
import { parseModelMetadata } from "./model-folder.js";
import { createOpenClipModel } from "./open-clip-model.js";
import { planScores, type ScorePlan } from "./score/plan-scores.js";

export interface ReadModelOptions {
  /** Plugins that the model's configuration needs beside the default ones. */
  readonly plugins?: readonly Plugin[];
  /** open_clip's `model_cfg`, for files that hold weights alone. */
  readonly modelConfig?: unknown;
  /** Names (globs with `*`) of parameters that the checkpoint may lack; they are drawn at random, and `assumed` says so. */
  readonly allowMissing?: readonly string[];
  /** Another size of pictures than the model was trained on: its position embeddings are resized, as open_clip does. */
  readonly imageSize?: number;
  /** For a source that is a name. */
  readonly pull?: ModelPullOptions;
}

/** What is known of a model before its weights are read. */
export interface ModelDescription {
  /** Where it was found. */
  readonly path: string;
  readonly source: "diptych" | "openai" | "open-clip" | "hugging-face";
  readonly model: MultiEncoder;
  readonly tokenizer: Tokenizer;
  /** How pictures become the image tower's input. */
  readonly pictures: EvaluationSettings;
  /** How its loss scores pairs of pictures and texts, where the loss does and was saved with the model. */
  readonly scoring?: ScorePlan | undefined;
  /** What the source does not say and was taken as usual, in words. */
  readonly assumed: readonly string[];
  /** open_clip's words for the architecture, of public checkpoints. */
  readonly modelConfig?: OpenClipModelConfig;
  /** Training steps behind the weights, where it says. */
  readonly step?: number;
  /** The configuration that it was trained with, where it says. */
  readonly opened?: OpenedConfig;
}

export interface LoadedModel extends ModelDescription {
  /** Of the towers, and those of the loss that `scoring` reads. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
}

/** A model whose weights are read when they are asked for. */
export interface OpenModel extends ModelDescription {
  /**
   * Reads the parameters of these names; all of the model by default.
   *
   * @throws CheckpointError naming a weight that is damaged.
   */
  readonly readParameters: (
    names?: ReadonlySet<string>,
  ) => Promise<ReadonlyMap<string, HostTensor>>;
  readonly close: () => Promise<void>;
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
  const opened = await openModel(source, options);
  try {
    return Object.freeze({ ...opened, parameters: await opened.readParameters() });
  } finally {
    await opened.close();
  }
}

/** As {@link readModel}, with its weights still in the file; that all of them fit is checked here. Close it when done. */
export async function openModel(
  source: string,
  options: ReadModelOptions = {},
): Promise<OpenModel> {
  const path = await findModel(source, options.pull);
  return (await modelFolder.detect(path))
    ? openOwnModel(path, options)
    : openPublicModel(path, options);
}

async function openOwnModel(path: string, options: ReadModelOptions): Promise<OpenModel> {
  const { reader } = await openCheckpoint(path);
  return closingOnFailure(reader, async () => {
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
    const scoring = savedScoring(planScores(model, createLoss(opened, model, tokenizer)), reader);
    return {
      path,
      source: "diptych",
      model,
      tokenizer,
      pictures: trainedPictures(config.data, model),
      step: metadata.step,
      opened,
      ...(scoring ? { scoring } : {}),
      ...(await openWeights(model, reader, { ...options, scoring })),
    };
  });
}

/** The plan where the folder has what its scores read; folders of before hold the towers alone. */
function savedScoring(
  plan: ScorePlan | undefined,
  { entries }: CheckpointReader,
): ScorePlan | undefined {
  const saved = new Set(entries.map(({ name }) => name));
  if (!plan || plan.parameters.length === 0) return plan;
  return plan.parameters.some(({ name }) => saved.has(name)) ? plan : undefined;
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

async function openPublicModel(path: string, options: ReadModelOptions): Promise<OpenModel> {
  const found = await readModelSource(
    path,
    options.modelConfig === undefined ? {} : { modelConfig: options.modelConfig },
  );
  const { reader, source, preprocessConfig } = found;
  return closingOnFailure(reader, async () => {
    const modelConfig = atSize(found.modelConfig, options.imageSize);
    const model = createOpenClipModel(modelConfig);
    const weights = await openWeights(model, reader, options);
    return {
      path,
      source,
      model,
      // open_clip cuts longer texts, keeping their end-of-text.
      tokenizer: createBpeTokenizer({
        contextLength: modelConfig.text_cfg.context_length ?? 77,
        truncate: "cut",
      }),
      // The tower alone decides the size.
      pictures: evaluationSettingsFrom(preprocessConfig ?? {}, imageFacts(model)),
      modelConfig,
      ...weights,
      assumed: [...found.assumed, ...weights.assumed],
    };
  });
}

async function closingOnFailure(
  reader: CheckpointReader,
  open: () => Promise<OpenModel>,
): Promise<OpenModel> {
  try {
    return Object.freeze(await open());
  } catch (error) {
    await reader.close();
    throw error;
  }
}

function atSize(config: OpenClipModelConfig, imageSize: number | undefined): OpenClipModelConfig {
  if (imageSize === undefined) return config;
  return { ...config, vision_cfg: { ...config.vision_cfg, image_size: imageSize } };
}

/** Compares all weights with the model, and reads those that are asked for; allowed gaps get first values. */
async function openWeights(
  model: MultiEncoder,
  reader: CheckpointReader,
  {
    allowMissing = [],
    imageSize,
    scoring,
  }: ReadModelOptions & { readonly scoring?: ScorePlan | undefined },
): Promise<Pick<OpenModel, "readParameters" | "close" | "assumed">> {
  const towers = buildEncoders({ ...model, mode: "eval" }).parameters;
  const specs = [...towers, ...(scoring?.parameters ?? [])];
  const read = (only?: ReadonlySet<string>): ReturnType<typeof loadParameters> =>
    loadParameters(reader, specs, {
      allowMissing,
      resizePositions: imageSize !== undefined,
      ...(only ? { only } : {}),
    });
  const { missing } = await read(new Set());
  const drawn = initialiseParameters(
    specs.filter(({ name }) => missing.includes(name)),
    createRandom(0).split("missing"),
  );
  return {
    assumed: missing.map((name) => `${reader.path}: "${name}" is missing and was drawn at random.`),
    readParameters: async (names) => new Map([...drawn, ...(await read(names)).tensors]),
    close: () => reader.close(),
  };
}
