/**
 * Folder of a Hugging Face transformers CLIPModel: config.json and preprocessor_config.json beside model.safetensors or
 * pytorch_model.bin, or shards of either with an index. Read and written under open_clip's names; transformers has no
 * ModifiedResNet.
 */
import { join } from "node:path";
import {
  CheckpointError,
  createHostTensor,
  type CheckpointContent,
  type CheckpointReader,
  type HostTensor,
  type WritableCheckpointFormat,
} from "@diptych/core";
import { writeFolderAtomically, writeJsonAtomically } from "../atomic-write.js";
import { deriveReader, transposeMatrix } from "../clip/derived-reader.js";
import { fromHuggingFaceConfig, toHuggingFaceConfig } from "../clip/hugging-face-config.js";
import { fromHuggingFaceNames, toHuggingFaceNames } from "../clip/hugging-face-names.js";
import { fromPreprocessorConfig, toPreprocessorConfig } from "../clip/hugging-face-preprocessor.js";
import { checkModelConfig } from "../clip/infer-model-config.js";
import { OPENAI_PREPROCESS, type OpenClipModelConfig } from "../clip/open-clip-config.js";
import { findClipFacts } from "../clip/shape-facts.js";
import { openSafetensors } from "../safetensors/read.js";
import { writeSafetensors } from "../safetensors/write.js";
import { openTorch } from "../torch/torch-reader.js";
import { isFile, readJson } from "./safetensors-file.js";
import { openShards } from "./shards.js";

const CONFIG = "config.json";
const PREPROCESSOR = "preprocessor_config.json";
const SAFETENSORS = "model.safetensors";

/** Files of weights, in the order in which they are preferred, and how each is opened. */
const WEIGHTS: readonly (readonly [
  file: string,
  open: (path: string) => Promise<CheckpointReader>,
])[] = [
  [SAFETENSORS, openSafetensors],
  ["model.safetensors.index.json", (path) => openShards(path, ".safetensors", openSafetensors)],
  ["pytorch_model.bin", openTorch],
  ["pytorch_model.bin.index.json", (path) => openShards(path, ".bin", openTorch)],
];

async function findWeights(folder: string): Promise<(() => Promise<CheckpointReader>) | undefined> {
  for (const [file, open] of WEIGHTS)
    if (await isFile(join(folder, file))) return () => open(join(folder, file));
  return undefined;
}

async function open(folder: string): Promise<CheckpointReader> {
  const config = join(folder, CONFIG);
  const modelConfig = fromHuggingFaceConfig(config, await readJson(config));
  const preprocessor = join(folder, PREPROCESSOR);
  const preprocess = (await isFile(preprocessor))
    ? fromPreprocessorConfig(preprocessor, await readJson(preprocessor))
    : undefined;
  const openWeights = await findWeights(folder);
  if (!openWeights) {
    throw new CheckpointError(
      `checkpoints/hugging-face: ${folder}: expected ${WEIGHTS.map(([file]) => file).join(", ")}, got none of them. Download the weights too.`,
    );
  }
  const stored = await openWeights();
  try {
    const reader = deriveReader(stored, fromHuggingFaceNames(stored.entries), {
      model_cfg: modelConfig,
      ...(preprocess ? { preprocess_cfg: preprocess } : {}),
    });
    const facts = findClipFacts(reader.entries);
    if (facts) checkModelConfig(folder, modelConfig, facts);
    return Object.freeze({ ...reader, path: folder });
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** Their tensors of one of open_clip's. @throws CheckpointError where a CLIPModel has none. */
function toTheirs(
  path: string,
  name: string,
  tensor: HostTensor,
): readonly (readonly [string, HostTensor])[] {
  const theirs = toHuggingFaceNames(name);
  if (theirs.length === 0) {
    throw new CheckpointError(
      `checkpoints/hugging-face: ${path}: expected tensors of a ViT with CLIP's text transformer, got "${name}". transformers' CLIPModel has no place for it: write an open_clip folder.`,
    );
  }
  return theirs.map(({ name: their, how }) => {
    if (how === "copy") return [their, tensor];
    if (how === "transpose") return [their, transposeMatrix(tensor)];
    return [their, rowsOf(tensor, how.third)];
  });
}

/** The first, second or third part of the rows. */
function rowsOf(tensor: HostTensor, third: number): HostTensor {
  const part = tensor.data.length / 3;
  const [rows = 0, ...rest] = tensor.shape;
  const data = tensor.data.subarray(third * part, (third + 1) * part);
  return createHostTensor(tensor.dtype, [rows / 3, ...rest], data);
}

async function write(path: string, { tensors, metadata }: CheckpointContent): Promise<void> {
  const { model_cfg: modelConfig, preprocess_cfg: preprocess = OPENAI_PREPROCESS } =
    metadata as Readonly<Record<string, unknown>> & {
      readonly model_cfg?: OpenClipModelConfig;
      readonly preprocess_cfg?: typeof OPENAI_PREPROCESS;
    };
  if (!modelConfig) {
    throw new CheckpointError(
      `checkpoints/hugging-face: ${path}: expected metadata with model_cfg, as open_clip_config.json has it, got ${Object.keys(metadata).join(", ") || "none"}.`,
    );
  }
  const config = toHuggingFaceConfig(path, modelConfig);
  const kept = [...tensors];
  const facts = findClipFacts(kept.map(([name, { dtype, shape }]) => ({ name, dtype, shape })));
  if (!facts) {
    throw new CheckpointError(
      `checkpoints/hugging-face: ${path}: expected the tensors of a CLIP under open_clip's names, got ${kept.length} others.`,
    );
  }
  checkModelConfig(path, modelConfig, facts);
  const theirs = kept.flatMap(([name, tensor]) => toTheirs(path, name, tensor));
  const { image_size: size = 224 } = modelConfig.vision_cfg;
  await writeFolderAtomically(path, async (folder) => {
    await writeSafetensors(join(folder, SAFETENSORS), theirs, { metadata: { format: "pt" } });
    await writeJsonAtomically(join(folder, CONFIG), config);
    await writeJsonAtomically(
      join(folder, PREPROCESSOR),
      toPreprocessorConfig(typeof size === "number" ? size : size[0], preprocess),
    );
  });
}

export const huggingFaceFolder: WritableCheckpointFormat = Object.freeze({
  name: "hugging-face",
  detect: async (path: string) => {
    const config = join(path, CONFIG);
    if (!(await isFile(config)) || !(await findWeights(path))) return false;
    return readJson(config).then(
      ({ model_type: type }) => type === "clip",
      () => false,
    );
  },
  open,
  write,
} satisfies WritableCheckpointFormat);
