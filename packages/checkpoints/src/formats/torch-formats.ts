/**
 * Single files of PyTorch's: `openai`, a TorchScript archive as OpenAI published its models, and `pytorch`, what
 * torch.save writes (a state dict, or a training checkpoint that holds one). Both are only read.
 */
import type { CheckpointFormat, CheckpointReader } from "@diptych/core";
import { openFileSource, type ByteSource } from "../bytes/byte-source.js";
import { describeOpenAi } from "../clip/openai-archive.js";
import { detectTorchContainer, isTorchScript } from "../torch/torch-file.js";
import { openTorch } from "../torch/torch-reader.js";
import { openZip } from "../zip/zip-archive.js";
import { isFile } from "./safetensors-file.js";

type Kind = "torchscript" | "pytorch";

/** A damaged archive counts as torch.save's: opening it says what is wrong with it. */
async function kindOf(source: ByteSource): Promise<Kind | undefined> {
  const container = await detectTorchContainer(source);
  if (container !== "zip") return container && "pytorch";
  try {
    return isTorchScript(await openZip(source)) ? "torchscript" : "pytorch";
  } catch {
    return "pytorch";
  }
}

async function detectKind(path: string): Promise<Kind | undefined> {
  if (!(await isFile(path))) return undefined;
  const source = await openFileSource(path);
  try {
    return await kindOf(source);
  } finally {
    await source.close();
  }
}

export const openAiArchive: CheckpointFormat = Object.freeze({
  name: "openai",
  detect: async (path: string) => (await detectKind(path)) === "torchscript",
  open: async (path: string): Promise<CheckpointReader> => {
    const reader = await openTorch(path);
    try {
      return describeOpenAi(reader);
    } catch (error) {
      await reader.close();
      throw error;
    }
  },
} satisfies CheckpointFormat);

export const pytorchFile: CheckpointFormat = Object.freeze({
  name: "pytorch",
  detect: async (path: string) => (await detectKind(path)) === "pytorch",
  open: (path: string): Promise<CheckpointReader> => openTorch(path),
} satisfies CheckpointFormat);
