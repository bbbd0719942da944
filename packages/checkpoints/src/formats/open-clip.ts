/**
 * open_clip's folder: `open_clip_config.json` (model_cfg, preprocess_cfg) beside `open_clip_model.safetensors`, tensors
 * under open_clip's state-dict names (clip-numerics §11). BatchNorm's counters are int64 there, as in PyTorch.
 */
import { folderFormat } from "./folder.js";

export const openClipFolder = folderFormat({
  name: "open-clip",
  tensorsFile: "open_clip_model.safetensors",
  metadataFile: "open_clip_config.json",
  asInt64: (name) => name.endsWith("num_batches_tracked"),
});
