/**
 * open_clip's folder: `open_clip_config.json` (model_cfg, preprocess_cfg) beside `open_clip_model.safetensors`, tensors
 * under open_clip's state-dict names (clip-numerics §11). BatchNorm's counters are int64 there, as in PyTorch. Older
 * folders have the weights as `open_clip_pytorch_model.bin`.
 */
import { join } from "node:path";
import type { WritableCheckpointFormat } from "@diptych/core";
import { openTorch } from "../torch/torch-reader.js";
import { folderFormat } from "./folder.js";
import { isFile, readJson } from "./safetensors-file.js";

const METADATA_FILE = "open_clip_config.json";
const PYTORCH_FILE = "open_clip_pytorch_model.bin";

const safetensorsFolder = folderFormat({
  name: "open-clip",
  tensorsFile: "open_clip_model.safetensors",
  metadataFile: METADATA_FILE,
  asInt64: (name) => name.endsWith("num_batches_tracked"),
});

async function hasPyTorchFile(path: string): Promise<boolean> {
  return (await isFile(join(path, METADATA_FILE))) && isFile(join(path, PYTORCH_FILE));
}

export const openClipFolder: WritableCheckpointFormat = Object.freeze({
  ...safetensorsFolder,
  detect: async (path: string) =>
    (await safetensorsFolder.detect(path)) || (await hasPyTorchFile(path)),
  open: async (path: string) => {
    if ((await safetensorsFolder.detect(path)) || !(await hasPyTorchFile(path)))
      return safetensorsFolder.open(path);
    const metadata = await readJson(join(path, METADATA_FILE));
    return Object.freeze({ ...(await openTorch(join(path, PYTORCH_FILE))), path, metadata });
  },
} satisfies WritableCheckpointFormat);
