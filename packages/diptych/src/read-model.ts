/** Reading a model from where it is kept: what it is made of, its weights, its tokenizer, how its pictures are prepared. */
import {
  buildEncoders,
  CheckpointError,
  createConfiguredModel,
  type HostTensor,
  type MultiEncoder,
  type Tokenizer,
} from "@diptych/core";
import type { Plugin, Registry } from "@diptych/core/plugin";
import { loadParameters, openCheckpoint } from "@diptych/checkpoints";
import type { PrepareOptions } from "@diptych/data";
import { createBpeTokenizer } from "@diptych/text-transformer";
import { openConfig, type OpenedConfig } from "./load-config.js";
import { parseModelMetadata } from "./model-folder.js";
import { createOpenClipModel } from "./open-clip-model.js";

export interface LoadedModel {
  readonly model: MultiEncoder;
  readonly tokenizer: Tokenizer;
  readonly parameters: ReadonlyMap<string, HostTensor>;
  readonly prepare: Omit<PrepareOptions, "imageHeight" | "imageWidth">;
  readonly step?: number;
  /** The configuration that it was trained with, where it says. */
  readonly opened?: OpenedConfig;
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
