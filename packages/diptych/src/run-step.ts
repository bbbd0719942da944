/** Of a run in a container with its components: the step as graphs, whether it fits into memory, and the loader of its batches. */
import {
  buildEncoders,
  buildLoss,
  createRandom,
  initialiseParameters,
  type ResolvedConfig,
} from "@diptych/core";
import type { Run } from "@diptych/core/plugin";
import { createLoader, type Loader } from "@diptych/data";
import { buildTrainStep, checkPrecision, Trainer, type TrainStep } from "@diptych/training";
import {
  BACKEND,
  createTransform,
  DATASET,
  LOSS,
  MODEL,
  OPTIMIZER,
  TEACHERS,
  TOKENIZER,
} from "./components.js";
import { imageFacts } from "./image-facts.js";
import type { RunListener } from "./run-events.js";
import { stepFlops } from "./step-flops.js";
import { checkStepMemory, estimateStepMemory, memoryLimit } from "./step-memory.js";
import { teacherBinding } from "./teachers/open-teachers.js";
import { teachBatches } from "./teachers/teach-batches.js";
import { teacherBytes, teacherFlops } from "./teachers/teacher-cost.js";

/** Symbols of a training batch: pictures of `batchSize` samples, texts of those and of the extra ones. */
export function batchSizes(config: ResolvedConfig): { imageBatch: number; textBatch: number } {
  const { batchSize } = config.training;
  return {
    imageBatch: batchSize * config.data.imagesPerSample,
    textBatch: (batchSize + config.data.extraCaptions) * config.data.captionsPerSample,
  };
}

/** The gradient and update graphs of a run's step, sizes bound. @throws ConfigError where the backend lacks its precision. */
export function buildStep(config: ResolvedConfig, run: Run): TrainStep {
  const { clipNorm, ema, rematerialise, precision } = config.training;
  checkPrecision(precision, run.get(BACKEND));
  const model = buildEncoders({ ...run.get(MODEL), mode: "train" });
  const sizes = batchSizes(config);
  const loss = run.get(LOSS);
  return buildTrainStep({
    built: buildLoss(model, loss, { sizes }),
    optimizer: run.get(OPTIMIZER),
    clipNorm,
    ema,
    rematerialise,
    precision,
    binding: {
      ...sizes,
      textTokens: run.get(TOKENIZER).contextLength,
      ...teacherBinding(loss, run.get(TEACHERS)),
    },
  });
}

/** Floating-point operations of a step of the run, its teachers' included. */
export function runStepFlops(config: ResolvedConfig, run: Run, step: TrainStep): number {
  return stepFlops(step) + teacherFlops(run.get(TEACHERS), batchSizes(config));
}

/** On a device of its own memory the host's says nothing. @throws TrainingError where the step cannot fit. */
export function checkMemory(config: ResolvedConfig, run: Run, step: TrainStep): void {
  const { training, data } = config;
  const { capabilities } = run.get(BACKEND);
  const limit = memoryLimit();
  if (limit === undefined || capabilities.deviceMemory === "device") return;
  const { prefetch } = data;
  const teachers = teacherBytes(run.get(TEACHERS), { ...batchSizes(config), prefetch });
  const memory = estimateStepMemory(step, { capabilities, prefetch, teachers });
  const { batchSize, rematerialise } = training;
  checkStepMemory(memory, { limit, batchSize, rematerialise, prefetch });
}

/** A trainer of a run's step at its first values; it ends with the run. */
export async function createRunTrainer(
  { seed }: ResolvedConfig,
  run: Run,
  step: TrainStep,
): Promise<Trainer> {
  const initial = initialiseParameters(step.parameters, createRandom(seed).split("init"));
  const trainer = await Trainer.create({ backend: run.get(BACKEND), step, initial, seed });
  run.onDispose("trainer", () => trainer.dispose());
  return trainer;
}

/** The batches of a run, in the order that its seed gives, with what its teachers say of them. */
export function createRunLoader(config: ResolvedConfig, run: Run, on: RunListener): Loader {
  const { data, training, seed } = config;
  const size = imageFacts(run.get(MODEL));
  const transform = createTransform(data.transform, size);
  const teachers = run.get(TEACHERS);
  const loader = createLoader({
    dataset: run.get(DATASET),
    tokenizer: run.get(TOKENIZER),
    batchSize: training.batchSize,
    seed,
    imagesPerSample: data.imagesPerSample,
    captionsPerSample: data.captionsPerSample,
    extraCaptions: data.extraCaptions,
    imageTransforms: transform ? [transform] : [],
    ...size,
    mean: data.mean,
    std: data.std,
    prefetch: data.prefetch,
    onBadSample: data.onBadSample,
    onSkip: (error) => on({ event: "message", text: `skipped: ${error.message}` }),
    imageViews: teachers.flatMap(({ imageViews }) => imageViews),
    textViews: teachers.flatMap(({ textViews }) => textViews),
  });
  return teachBatches(loader, teachers);
}
