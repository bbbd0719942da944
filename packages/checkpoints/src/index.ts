/** Checkpoints: safetensors, open_clip's folder, run states, and restoring with a full list of what does not fit. */
export { writeFileAtomically, writeFolderAtomically, writeJsonAtomically } from "./atomic-write.js";
export { modelFolder } from "./formats/model-folder.js";
export { openClipFolder } from "./formats/open-clip.js";
export { runState } from "./formats/run-state.js";
export { safetensorsFile } from "./formats/safetensors-file.js";
export {
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
export { loadParameters, type LoadedParameters, type LoadOptions } from "./load-parameters.js";
export { CHECKPOINT_FORMATS, openCheckpoint } from "./open-checkpoint.js";
export { checkpointsPlugin } from "./plugin.js";
