// Training in 16 bits on a backend that rounds (ONNX Runtime on the CPU computes 16-bit ops in float32 between two casts):
// beside PyTorch's bfloat16 autocast, and what the loss scale is for.
import { readFileSync } from "node:fs";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { buildEncoders, buildLoss, type Backend, type TrainingPrecision } from "@diptych/core";
import { createInfoNce, createWeightedSum } from "@diptych/losses";
import { adamwSchema, buildTrainStep, createAdamw, Trainer } from "@diptych/training";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOpenClipModel } from "../open-clip-model.js";
import {
  batchOf,
  historyDistance,
  loadTraining,
  type GoldenTraining,
} from "./training-run.golden.test-support.js";
import { loadModelGolden, modelConfig } from "./models.golden.test-support.js";

const MODEL = "vit-gelu";
const ROWS = 6;

interface Bf16Run {
  readonly history: readonly { readonly loss: number }[];
}

const torchBf16 = JSON.parse(
  readFileSync(new URL("../../fixtures/precision/vit-gelu-bf16.json", import.meta.url), "utf8"),
) as Bf16Run;

let backend: Backend;
let training: GoldenTraining;
beforeAll(async () => {
  backend = await createOnnxBackend({ threads: 2 });
  training = await loadTraining(MODEL);
});
afterAll(async () => {
  expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  await backend.dispose();
});

/** A trainer of the golden model; `weight` multiplies its loss. */
async function createTrainer(
  precision: TrainingPrecision,
  { weight = 1, rematerialise = false }: { weight?: number; rematerialise?: boolean } = {},
): Promise<Trainer> {
  const { golden } = training;
  const { weights } = await loadModelGolden(MODEL);
  const loss =
    weight === 1 ? createInfoNce() : createWeightedSum([{ loss: createInfoNce(), weight }]);
  const built = buildLoss(
    buildEncoders({ ...createOpenClipModel(modelConfig(MODEL)), mode: "train" }),
    loss,
  );
  const { betas, eps: epsilon, weight_decay: weightDecay, clip_norm: clipNorm } = golden;
  const step = buildTrainStep({
    built,
    optimizer: createAdamw(adamwSchema.parse({ betas, epsilon, weightDecay })),
    clipNorm,
    binding: { imageBatch: ROWS, textBatch: ROWS },
    precision,
    rematerialise,
  });
  return Trainer.create({ backend, step, initial: weights, seed: 0 });
}

interface Told {
  readonly status: string;
  readonly loss: number;
  readonly gradNorm: number;
}

async function runStep(trainer: Trainer, i: number): Promise<Told> {
  const outcome = await trainer.runStep(
    { feeds: batchOf(training.tensors, i) },
    { learningRate: training.schedule.learningRate(i) },
  );
  if (outcome.status === "interrupted") throw new Error("interrupted");
  return { status: outcome.status, loss: outcome.report.loss, gradNorm: outcome.report.gradNorm };
}

/** Begins with another loss scale than 2^16. */
async function setLossScale(trainer: Trainer, scale: number): Promise<void> {
  const { tensors, metadata } = await trainer.readState();
  await trainer.loadState({ tensors, metadata: { ...metadata, lossScale: { scale, good: 0 } } });
}

async function losses(
  precision: TrainingPrecision,
  { lossScale, ...options }: { rematerialise?: boolean; lossScale?: number } = {},
): Promise<readonly number[]> {
  const trainer = await createTrainer(precision, options);
  if (lossScale !== undefined) await setLossScale(trainer, lossScale);
  const history: number[] = [];
  for (let i = 0; i < training.golden.total; i++) history.push((await runStep(trainer, i)).loss);
  await trainer.dispose();
  return history;
}

/** Distance from PyTorch's float64 run, relative to its largest loss. */
const distance = (history: readonly { readonly loss: number }[]): number =>
  historyDistance(
    training.golden,
    history.map(({ loss }, step) => ({ step, lr: 0, loss, grad_norm: 0, logit_scale: 0 })),
    "loss",
  );

const records = (history: readonly number[]) => history.map((loss) => ({ loss }));

test("twenty steps in mixed-bf16 stay as near to float64 as PyTorch's autocast does", async () => {
  // Which way single roundings go is chance: three times PyTorch's distance, 0.6 % of the largest loss.
  const limit = 3 * distance(torchBf16.history);
  expect(limit).toBeLessThan(0.02);
  const history = await losses("mixed-bf16");
  expect(distance(records(history))).toBeLessThanOrEqual(limit);
  // 16 bits they are: float32 is a thousand times nearer.
  expect(distance(records(history))).toBeGreaterThan(1e-4);
});

test("recomputed activations round as those that are kept", async () => {
  expect(await losses("mixed-bf16", { rematerialise: true })).toEqual(await losses("mixed-bf16"));
});

test("twenty steps in mixed-fp16 stay nearer than bfloat16's, whose mantissa is shorter", async () => {
  // A scale that no step overflows with: a skipped one would be missing in the curve.
  const history = await losses("mixed-fp16", { lossScale: 256 });
  expect(distance(records(history))).toBeLessThanOrEqual(distance(torchBf16.history));
});

describe("the loss scale", () => {
  test("keeps gradients that float16 alone would lose", async () => {
    const weight = 1e-7;
    const [plain, scaled, lost] = [
      await createTrainer("fp32", { weight }),
      await createTrainer("mixed-fp16", { weight }),
      await createTrainer("mixed-fp16", { weight }),
    ];
    await setLossScale(lost, 1);
    const [expected, found, without] = [
      await runStep(plain, 0),
      await runStep(scaled, 0),
      await runStep(lost, 0),
    ];
    expect(found.status).toBe("done");
    expect(found.gradNorm / expected.gradNorm).toBeCloseTo(1, 2);
    expect(without.gradNorm / expected.gradNorm).toBeLessThan(0.9);
    for (const trainer of [plain, scaled, lost]) await trainer.dispose();
  });

  test("comes down where gradients overflow, and the run then follows float32's", async () => {
    // Gradients of some hundreds times 2^16 are beyond 65,504.
    const weight = 300;
    const [plain, scaled] = [
      await createTrainer("fp32", { weight }),
      await createTrainer("mixed-fp16", { weight }),
    ];
    const told: Told[] = [];
    while (told.at(-1)?.status !== "done") told.push(await runStep(scaled, 0));
    expect(told[0]!.status).toBe("skipped");
    expect(scaled.skippedSteps).toBe(told.length - 1);
    expect(scaled.lossScale).toBe(2 ** (16 - scaled.skippedSteps));
    const expected = await runStep(plain, 0);
    expect(told.at(-1)!.gradNorm / expected.gradNorm).toBeCloseTo(1, 2);
    for (const trainer of [plain, scaled]) await trainer.dispose();
  });
});
