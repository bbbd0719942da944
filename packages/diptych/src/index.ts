/** Diptych: contrastive vision-language models in TypeScript. The default plugins composed, and the short API. */
export { defineConfig, type ConfigInput, type Metric } from "@diptych/core";
export {
  createOnnxBackend,
  exportOnnxModel,
  onnx,
  type ExportOnnxOptions,
} from "@diptych/backend-onnx";
export { createTfjsBackend, tfjs, type TfjsBackendOptions } from "@diptych/backend-tfjs";
export {
  findPulledModel,
  hubCacheFolder,
  loadParameters,
  openCheckpoint,
  OPENAI_MODELS,
  pullModel,
  type PulledFile,
  type PulledModel,
  type PullOptions,
  type PullProgress,
  writeFileAtomically,
  writeJsonAtomically,
} from "@diptych/checkpoints";
export {
  augment,
  decodeImage,
  emoji,
  EMOJI_ATTRIBUTION,
  emojiSchema,
  encodePng,
  encodeThumbnail,
  imageFolder,
  jsonl,
  loadEmojiSet,
  resize,
  type EmojiConfig,
  type EmojiSet,
} from "@diptych/data";
export { compactResNet, modifiedResNet } from "@diptych/encoders-resnet";
export { vit } from "@diptych/encoders-vit";
export {
  bagOfWordsPrediction,
  captioning,
  coca,
  distillation,
  infoNce,
  sigmoidLoss,
  supervisedContrastive,
  weightedSum,
} from "@diptych/losses";
export {
  bagOfWords,
  bpe,
  createBpeTokenizer,
  textTransformer,
  words,
} from "@diptych/text-transformer";
export { adamw, constantSchedule, cosine, readJsonlLog, sgd } from "@diptych/training";
export {
  clipBenchmarkFileName,
  clipBenchmarkResult,
  retrieval,
  zeroshotClassification,
  type ClipBenchmarkOptions,
  type ClipBenchmarkResult,
} from "@diptych/zeroshot";
export { partLabel, partText } from "./backend-parts.js";
export {
  backendAgrees,
  compareBackends,
  type BackendComparison,
  type CompareBackendsOptions,
  type ComparedBackend,
  type ComparisonEvent,
} from "./compare-backends/compare-backends.js";
export type { StepPoint, StepsSummary } from "./compare-backends/compare-steps.js";
export type { CurveDifference, Spread } from "./compare-backends/curve-statistics.js";
export { cacheFolder } from "./components.js";
export {
  convertModel,
  MODEL_FORMATS,
  type ModelFormat,
  type WriteModelOptions,
  type WriteNotes,
} from "./convert-model.js";
export { defaultPlugins } from "./default-plugins.js";
export {
  runDoctor,
  type BackendReport,
  type DoctorEvent,
  type DoctorOptions,
  type DoctorReport,
  type EngineReport,
} from "./doctor/doctor.js";
export type { GpuFacts } from "./doctor/gpu-facts.js";
export type { MachineFacts } from "./doctor/machine-facts.js";
export type { FloatType, MatmulRate, ProductSize } from "./doctor/matmul-rate.js";
export type { BackendRates } from "./doctor/measure-backend.js";
export type { NativeFacts, NativeSetup } from "./doctor/native-facts.js";
export {
  createEncoderRuntime,
  type EncodeOptions,
  type EncoderRuntime,
  type EncoderRuntimeOptions,
  type Features,
  type ImageSource,
} from "./encode/encoder-runtime.js";
export {
  npyFormat,
  safetensorsFormat,
  type EmbeddingChunk,
  type EmbeddingFormat,
  type EmbeddingTable,
  type InputKind,
} from "./embed-files/embedding-format.js";
export type { SkippedInput } from "./embed-files/embedding-rows.js";
export {
  embedToFile,
  type EmbedProgress,
  type EmbedSummary,
  type EmbedToFileOptions,
} from "./embed-files/embed-to-file.js";
export { listLines, listPictures } from "./embed-files/list-inputs.js";
export { drawRelevance, type DrawOptions } from "./explain/draw-relevance.js";
export {
  createInspector,
  type InnerPath,
  type InspectOptions,
  type Inspector,
  type Intermediates,
} from "./explain/inspector.js";
export { openInspector, type OpenInspectorOptions } from "./explain/open-inspector.js";
export {
  RELEVANCE_METHODS,
  type Relevance,
  type RelevanceMethod,
  type RelevanceOptions,
} from "./explain/relevance.js";
export type { PictureSize, Region } from "./explain/seen-region.js";
export {
  evaluateModel,
  type EvaluatedModel,
  type EvaluateModelOptions,
  type Evaluations,
  type MeasuredTask,
} from "./evaluate.js";
export {
  identifyEvaluatorData,
  identifyTrainingData,
  openEvaluatorDataset,
  type EvaluatorData,
  type MeasuredData,
} from "./measured-data.js";
export { weightsFingerprint } from "./fingerprint.js";
export { measureCheckpoint, type CheckpointCost } from "./inspect-checkpoint.js";
export {
  measureConfig,
  measureModel,
  measurePaperModel,
  paperModelName,
  type ModelCost,
} from "./inspect-model.js";
export type { PublishedCost, PublishedCosts } from "./inspect-published.js";
export type { BlockCost, MeasureOptions, TowerCost } from "./inspect-tower.js";
export {
  exportTransformersJs,
  type ExportTransformersJsOptions,
  type TransformersJsDtype,
  type TransformersJsSource,
} from "./export/export-transformers-js.js";
export { inspectCheckpoint, inspectConfig, type InspectedParameter } from "./inspect.js";
export type { Classification } from "./classification.js";
export {
  loadClip,
  type ClassifyOptions,
  type Clip,
  type LoadClipOptions,
  type Precision,
} from "./load-clip.js";
export {
  openConfig,
  openConfigFile,
  openEvaluation,
  openEvaluationFile,
  readConfiguration,
  type OpenConfigOptions,
  type OpenedConfig,
  type OpenedEvaluation,
} from "./load-config.js";
export {
  OPEN_CLIP_MODEL_NAMES,
  openClipConfig,
  openClipConfigs,
  type OpenClipConfig,
  type OpenClipModelName,
} from "./open-clip-configs.js";
export { createOpenClipModel } from "./open-clip-model.js";
export {
  measureEmoji,
  type EmojiMeasures,
  type EmojiTest,
  type PhraseResult,
  type PictureGuesses,
} from "./quickstart/measure-emoji.js";
export type { RunEvent, RunListener, WatchOptions } from "./run-events.js";
export { SETUP_KINDS, type SetupKind } from "./setup/setup-plan.js";
export { setUpNative, type SetupOptions, type SetupResult } from "./setup/set-up-native.js";
export { stepFlops } from "./step-flops.js";
export type { TeacherFacts } from "./teachers/open-teachers.js";
export {
  measureTasks,
  nameModel,
  type MeasureTasksOptions,
  type TaskModel,
} from "./measure-tasks.js";
export { measureStepFlops, measureStepSeconds, type TimeStepOptions } from "./measure-step.js";
export type { Midway, MidwayEvaluation } from "./evaluate-run.js";
export { train, type TrainedModel, type TrainOptions, type TrainSummary } from "./train.js";
