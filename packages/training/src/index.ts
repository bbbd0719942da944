/** Training: the step as two graphs, the trainer, optimizers, schedules, checkpoints, run locks and logs. */
export { createAdamw, adamw } from "./optimizers/adamw.js";
export { adamwSchema, sgdSchema, type AdamwConfig, type SgdConfig } from "./optimizers/config.js";
export {
  createParameterGroups,
  type GroupConfig,
  type GroupRules,
  type ParameterGroups,
} from "./optimizers/parameter-groups.js";
export { createSgd, sgd } from "./optimizers/sgd.js";
export { trainingPlugin } from "./plugin.js";
export {
  checkpointName,
  createCheckpointer,
  type Checkpointer,
  type CheckpointerOptions,
  type FoundState,
} from "./run/checkpointing.js";
export { createJsonlLog, readJsonlLog, type JsonlLogOptions } from "./run/jsonl-log.js";
export { acquireRunLock, LOCK_FILE, type RunLock } from "./run/run-lock.js";
export {
  constantSchema,
  cosineSchema,
  type ConstantConfig,
  type CosineConfig,
} from "./schedules/config.js";
export { constantSchedule, createConstant } from "./schedules/constant.js";
export { cosine, createCosine } from "./schedules/cosine.js";
export { batchBinding } from "./train-step/batch-binding.js";
export { buildTrainStep, type TrainStepOptions } from "./train-step/build-train-step.js";
export { clipCoefficient, globalNorm } from "./train-step/global-norm.js";
export {
  bufferName,
  emaName,
  emaRate,
  gradientName,
  slotName,
  type RandomInput,
  type StateTensor,
  type TrainStep,
  type WorkTensor,
} from "./train-step/train-step.js";
export type { TrainingBatch } from "./trainer/batches.js";
export { checkPrecision, precisionNotice } from "./trainer/check-precision.js";
export type { CalibrateOptions, Calibration } from "./trainer/calibrate.js";
export type {
  CheckpointEvent,
  EndEvent,
  EndReason,
  StartEvent,
  StepEvent,
  TrainingEvent,
  TrainingListener,
} from "./trainer/events.js";
export type { FitOptions, FitResult, StateSaver } from "./trainer/fit.js";
export { drawRandomInputs } from "./trainer/random-inputs.js";
export type { StepReport } from "./trainer/step-report.js";
export {
  Trainer,
  type ParameterChoice,
  type RunStepOptions,
  type StepOutcome,
  type TrainerOptions,
} from "./trainer/trainer.js";
export {
  parseTrainingMetadata,
  readTrainingState,
  type TrainingMetadata,
  type TrainingState,
} from "./trainer/training-state.js";
