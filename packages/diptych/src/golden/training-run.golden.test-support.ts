// The golden training runs: their files, and the step, schedule and batches that they were made with.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  buildEncoders,
  buildLoss,
  createHostTensor,
  hostTensorFrom,
  type HostTensor,
  type Schedule,
} from "@diptych/core";
import { createInfoNce } from "@diptych/losses";
import {
  adamwSchema,
  buildTrainStep,
  cosineSchema,
  createAdamw,
  createCosine,
  type TrainStep,
} from "@diptych/training";
import { expect } from "vitest";
import { z } from "zod";
import { createOpenClipModel } from "../open-clip-model.js";
import {
  goldenFolder,
  goldenModels,
  loadModelGolden,
  readTensors,
  type Tensors,
} from "./models.golden.test-support.js";

const recordSchema = z.object({
  step: z.number(),
  lr: z.number(),
  loss: z.number(),
  grad_norm: z.number(),
  logit_scale: z.number(),
});
export type StepRecord = z.output<typeof recordSchema>;

const trainingSchema = z.object({
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  weight_decay: z.number(),
  no_decay: z.array(z.string()),
  base_lr: z.number(),
  warmup: z.number(),
  total: z.number(),
  clip_norm: z.number(),
  history: z.array(recordSchema),
  history_float64: z.array(recordSchema),
  float32_vs_float64_final_weights: z.record(z.string(), z.number()),
});
export type TrainingGolden = z.output<typeof trainingSchema>;

const ROWS = 6;

/** A golden run, ready to be repeated. */
export interface GoldenTraining {
  readonly golden: TrainingGolden;
  /** Pictures and texts, and `after.<name>` of PyTorch's float32 run. */
  readonly tensors: Tensors;
  readonly weights: Tensors;
  readonly step: TrainStep;
  readonly schedule: Schedule;
}

/** Names of the golden models with a training run. */
export function goldenTrainings(): string[] {
  return goldenModels().filter((name) =>
    existsSync(path.join(goldenFolder, "models", name, "training.json")),
  );
}

export async function loadTraining(name: string): Promise<GoldenTraining> {
  const folder = path.join(goldenFolder, "models", name);
  const golden = trainingSchema.parse(
    JSON.parse(readFileSync(path.join(folder, "training.json"), "utf8")),
  );
  const { config, weights } = await loadModelGolden(name);
  const model = buildEncoders({ ...createOpenClipModel(config), mode: "train" });
  const step = buildTrainStep({
    built: buildLoss(model, createInfoNce()),
    optimizer: createAdamw(
      adamwSchema.parse({
        betas: golden.betas,
        epsilon: golden.eps,
        weightDecay: golden.weight_decay,
      }),
    ),
    clipNorm: golden.clip_norm,
    binding: { imageBatch: ROWS, textBatch: ROWS },
  });
  for (const spec of step.parameters.filter(({ role }) => role === "weight")) {
    const decayed = step.optimizer.groupOf(spec).weightDecay > 0;
    expect([spec.name, decayed]).toEqual([spec.name, !golden.no_decay.includes(spec.name)]);
  }
  const schedule = createCosine(
    cosineSchema.parse({ learningRate: golden.base_lr, warmupSteps: golden.warmup }),
    { totalSteps: golden.total },
  );
  const tensors = await readTensors(path.join(folder, "training.safetensors"));
  return { golden, tensors, weights, step, schedule };
}

/** Rows (step % 4) · 6 … + 6 of the fixture's pictures and texts. */
export function batchOf(tensors: Tensors, step: number): Record<string, HostTensor> {
  const rows = (tensor: HostTensor): HostTensor => {
    const begin = (step % 4) * ROWS;
    const size = tensor.data.length / tensor.shape[0]!;
    const data = tensor.data.slice(begin * size, (begin + ROWS) * size);
    return createHostTensor(tensor.dtype, [ROWS, ...tensor.shape.slice(1)], data);
  };
  const sample = hostTensorFrom("int32", [ROWS], [0, 1, 2, 3, 4, 5]);
  return {
    image: rows(tensors.get("images")!),
    text: rows(tensors.get("texts")!),
    imageSample: sample,
    textSample: sample,
  };
}

/** What is judged at each step. */
export const JUDGED = ["loss", "grad_norm", "logit_scale"] as const;

/** Largest difference relative to the largest entry of `truth`; NaN where anything is not a number. */
export function relativeDistance(values: ArrayLike<number>, truth: ArrayLike<number>): number {
  expect(values.length).toBe(truth.length);
  let [most, largest] = [0, Number.MIN_VALUE];
  for (let i = 0; i < truth.length; i++) {
    const difference = Math.abs(values[i]! - truth[i]!);
    if (!(difference <= most)) most = difference;
    largest = Math.max(largest, Math.abs(truth[i]!));
  }
  return most / largest;
}

/** What a run may be away from float64, in multiples of what PyTorch's float32 is, and beyond it. */
const FACTOR = 5;
const FLOOR = 1e-6;

/** FACTOR · PyTorch's own float32 distance + FLOOR. */
export const allowed = (torch: number): number => FACTOR * torch + FLOOR;

/** How far a history may be from the float64 one. */
export function allowedHistory(golden: TrainingGolden, key: (typeof JUDGED)[number]): number {
  return allowed(historyDistance(golden, golden.history, key));
}

/** Distance of a history from the float64 one. */
export function historyDistance(
  golden: TrainingGolden,
  history: readonly StepRecord[],
  key: (typeof JUDGED)[number],
): number {
  return relativeDistance(
    history.map((record) => record[key]),
    golden.history_float64.map((record) => record[key]),
  );
}
