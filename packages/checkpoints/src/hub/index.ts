/** Models by name: fetched once, found again without a network. */
export { hubCacheFolder } from "./hub-cache.js";
export { findOpenAiModel, OPENAI_MODELS, type OpenAiModel } from "./openai-models.js";
export type { PullProgress } from "./pull-progress.js";
export {
  findPulledModel,
  pullModel,
  type PulledFile,
  type PulledModel,
  type PullOptions,
} from "./pull-model.js";
