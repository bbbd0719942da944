/** Checkpoints: every public format of CLIP's weights, run states, and restoring with a full list of what does not fit. */
export { writeFileAtomically, writeFolderAtomically, writeJsonAtomically } from "./atomic-write.js";
export type {
  OpenClipModelConfig,
  OpenClipPreprocessConfig,
  OpenClipTextConfig,
  OpenClipVisionConfig,
} from "./clip/open-clip-config.js";
export { huggingFaceFolder } from "./formats/hugging-face.js";
export { modelFolder } from "./formats/model-folder.js";
export { openClipFolder } from "./formats/open-clip.js";
export { runState } from "./formats/run-state.js";
export { safetensorsFile } from "./formats/safetensors-file.js";
export {
  findOpenAiModel,
  findPulledModel,
  hubCacheFolder,
  OPENAI_MODELS,
  pullModel,
  type OpenAiModel,
  type PulledFile,
  type PulledModel,
  type PullOptions,
  type PullProgress,
} from "./hub/index.js";
export { openAiArchive, pytorchFile } from "./formats/torch-formats.js";
export { loadParameters, type LoadedParameters, type LoadOptions } from "./load-parameters.js";
export { readModelSource, type ModelSource, type ModelSourceOptions } from "./model-source.js";
export { CHECKPOINT_FORMATS, openCheckpoint } from "./open-checkpoint.js";
export { checkpointsPlugin } from "./plugin.js";
