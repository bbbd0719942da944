/**
 * A public CLIP checkpoint of any format as one thing: tensors under open_clip's names, its `model_cfg`, how pictures
 * are prepared where that is known, and what had to be assumed. The checks here prevent the silent failure of this
 * field: right weights in a slightly wrong model (QuickGELU taken for GELU, other heads) still give plausible features.
 */
import { basename, dirname } from "node:path";
import { CheckpointError, type CheckpointReader } from "@diptych/core";
import { deriveReader } from "./clip/derived-reader.js";
import { fromHuggingFaceNames, isHuggingFaceClip } from "./clip/hugging-face-names.js";
import { checkModelConfig, inferModelConfig } from "./clip/infer-model-config.js";
import { describeOpenAi, hasOpenAiMarks } from "./clip/openai-archive.js";
import {
  TEXT_DEFAULTS,
  VISION_DEFAULTS,
  type OpenClipModelConfig,
  type OpenClipPreprocessConfig,
} from "./clip/open-clip-config.js";
import { parseModelConfig, parsePreprocessConfig } from "./clip/parse-config.js";
import { findClipFacts } from "./clip/shape-facts.js";
import { huggingFaceFolder } from "./formats/hugging-face.js";
import { openClipFolder } from "./formats/open-clip.js";
import { openCheckpoint } from "./open-checkpoint.js";

export interface ModelSource {
  readonly path: string;
  /** Who wrote it: OpenAI, open_clip (folder, file or training checkpoint) or Hugging Face transformers. */
  readonly source: "openai" | "open-clip" | "hugging-face";
  /** Name of the checkpoint format, e.g. `pytorch`. */
  readonly format: string;
  /** Tensors under open_clip's state-dict names. Close it when done. */
  readonly reader: CheckpointReader;
  readonly modelConfig: OpenClipModelConfig;
  /** Absent where the source does not say. */
  readonly preprocessConfig?: OpenClipPreprocessConfig;
  /** What the source does not say and was taken as usual, in words for the user. */
  readonly assumed: readonly string[];
}

export interface ModelSourceOptions {
  /** The model's `model_cfg`, for files that hold weights alone; where the source has one of its own, both must agree. */
  readonly modelConfig?: unknown;
}

/**
 * Opens a CLIP checkpoint: OpenAI's archive, open_clip's folder, .pt, .bin or .safetensors, a training checkpoint, or a
 * Hugging Face folder.
 *
 * @throws CheckpointError on a damaged file, on weights of another model than the configuration describes, on an
 * activation that the source contradicts, and where shapes do not reveal an architecture that nothing else tells.
 * @example
 * const { reader, modelConfig } = await readModelSource("ViT-B-32.pt");
 */
export async function readModelSource(
  path: string,
  { modelConfig: given }: ModelSourceOptions = {},
): Promise<ModelSource> {
  const { format, reader } = await openCheckpoint(await withItsFolder(path));
  try {
    if (format.name === "diptych" || format.name === "run-state") {
      throw new CheckpointError(
        `checkpoints/readModelSource: ${path}: expected a public CLIP checkpoint, got a folder of the format "${format.name}".`,
      );
    }
    const wanted = given === undefined ? undefined : parseModelConfig(path, given);
    return Object.freeze({
      path,
      format: format.name,
      ...describeSource(reader, format.name, wanted),
    });
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** The folder of a file that lies beside its configuration: what that says must not be guessed. */
async function withItsFolder(path: string): Promise<string> {
  const name = basename(path);
  const formats = [openClipFolder, huggingFaceFolder].filter((_, i) =>
    FILES_OF_FOLDERS[i]!.test(name),
  );
  for (const format of formats) if (await format.detect(dirname(path))) return dirname(path);
  return path;
}

const FILES_OF_FOLDERS = [
  /^open_clip_(model\.safetensors|pytorch_model\.bin)$/,
  /^(model\.safetensors|pytorch_model\.bin)$/,
];

type Described = Omit<ModelSource, "path" | "format">;

/** What an open checkpoint of a format is, as {@link readModelSource} says it. */
export function describeSource(
  reader: CheckpointReader,
  format: string,
  wanted?: OpenClipModelConfig,
): Described {
  if (format === "openai") return withOwnConfig(reader, "openai", wanted);
  if (format === "hugging-face") return withOwnConfig(reader, "hugging-face", wanted);
  if (format === "open-clip") return withOwnConfig(reader, "open-clip", wanted);
  if (hasOpenAiMarks(reader)) return withOwnConfig(describeOpenAi(reader), "openai", wanted);
  if (isHuggingFaceClip(reader.entries)) {
    const derived = deriveReader(reader, fromHuggingFaceNames(reader.entries), reader.metadata);
    return withoutConfig(derived, "hugging-face", wanted);
  }
  // A file of ours or of a converter may carry its configuration.
  if (reader.metadata["model_cfg"] !== undefined) return withOwnConfig(reader, "open-clip", wanted);
  return withoutConfig(reader, "open-clip", wanted);
}

/** The source says what it is. */
function withOwnConfig(
  reader: CheckpointReader,
  source: ModelSource["source"],
  wanted: OpenClipModelConfig | undefined,
): Described {
  const { model_cfg, preprocess_cfg } = reader.metadata;
  const modelConfig = parseModelConfig(reader.path, model_cfg);
  const facts = findClipFacts(reader.entries);
  if (facts) checkModelConfig(reader.path, modelConfig, facts);
  if (facts && wanted) checkModelConfig(reader.path, wanted, facts);
  if (wanted) checkAgreement(reader.path, source, { own: modelConfig, wanted });
  return {
    source,
    reader,
    // Of two that agree, the given one says more: open_clip's archives of OpenAI's do not store heads.
    modelConfig: wanted ?? modelConfig,
    ...preprocess(reader.path, preprocess_cfg),
    assumed: [],
  };
}

function preprocess(
  path: string,
  config: unknown,
): { preprocessConfig?: OpenClipPreprocessConfig } {
  return config === undefined ? {} : { preprocessConfig: parsePreprocessConfig(path, config) };
}

/** Weights alone: shapes and what is given must tell the rest. */
function withoutConfig(
  reader: CheckpointReader,
  source: ModelSource["source"],
  wanted: OpenClipModelConfig | undefined,
): Described {
  const facts = findClipFacts(reader.entries);
  if (wanted) {
    if (facts) checkModelConfig(reader.path, wanted, facts);
    return { source, reader, modelConfig: wanted, assumed: [] };
  }
  if (!facts) {
    const names = reader.entries.slice(0, 4).map(({ name }) => name);
    throw new CheckpointError(
      `checkpoints/readModelSource: ${reader.path}: expected the tensors of a CLIP under open_clip's or Hugging Face's names, got ${reader.entries.length} others (${names.join(", ")}). Give the model's model_cfg if it is of another family.`,
    );
  }
  const activation = source === "hugging-face" ? "transformers-default" : "open-clip-default";
  return { source, reader, ...inferModelConfig(reader.path, facts, activation) };
}

interface TwoConfigs {
  readonly own: OpenClipModelConfig;
  readonly wanted: OpenClipModelConfig;
}

/** @throws CheckpointError where the given configuration contradicts the source's own. */
function checkAgreement(
  path: string,
  source: ModelSource["source"],
  { own, wanted }: TwoConfigs,
): void {
  const activation = (config: OpenClipModelConfig): string =>
    config.quick_gelu ? "QuickGELU" : "GELU";
  if (activation(own) !== activation(wanted)) {
    throw new CheckpointError(
      `checkpoints/readModelSource: ${path}: expected ${activation(wanted)} as in the given model_cfg, got a model trained with ${activation(own)} (${REVEALED_BY[source]}). Features would be wrong without any error: set "quick_gelu": ${Boolean(own.quick_gelu)}.`,
    );
  }
  // OpenAI's archives do not store head counts: what was inferred gives way.
  if (source === "openai") return;
  const heads = ({ vision_cfg: vision, text_cfg: text }: OpenClipModelConfig) => ({
    "vision_cfg.head_width": vision.head_width ?? VISION_DEFAULTS.head_width,
    "text_cfg.heads": text.heads ?? TEXT_DEFAULTS.heads,
  });
  const [ours, theirs] = [heads(own), heads(wanted)];
  for (const key of ["vision_cfg.head_width", "text_cfg.heads"] as const) {
    if (ours[key] === theirs[key]) continue;
    throw new CheckpointError(
      `checkpoints/readModelSource: ${path}: expected ${key} ${theirs[key]} as in the given model_cfg, got ${ours[key]} in the source's own.`,
    );
  }
}

const REVEALED_BY: Readonly<Record<ModelSource["source"], string>> = {
  openai: "OpenAI's models all are",
  "open-clip": "its open_clip_config.json says so",
  "hugging-face": "hidden_act of its config.json says so",
};
