// A model of a few numbers with everything that a step can hold: two towers, a buffer, a counter, dropout, a bounded
// scale; and batches that follow from the step alone.
import {
  add,
  buildEncoders,
  buildLoss,
  createMultiEncoder,
  createRandom,
  hostTensorFrom,
  initialiseParameters,
  matmul,
  mean,
  mul,
  normal,
  ones,
  sub,
  sum,
  symbolDim,
  zeros,
  exp,
  type Backend,
  type BuiltLoss,
  type Encoder,
  type Loss,
  type Optimizer,
  type Schedule,
  type Value,
} from "@diptych/core";
import { createReferenceBackend } from "@diptych/core/reference";
import { createAdamw } from "../optimizers/adamw.js";
import { adamwSchema } from "../optimizers/config.js";
import { buildTrainStep, type TrainStepOptions } from "../train-step/build-train-step.js";
import type { TrainStep } from "../train-step/train-step.js";
import type { TrainingBatch } from "./batches.js";
import { Trainer } from "./trainer.js";

export const ROWS = 4;
const EMBED = 3;

function imageTower(): Encoder {
  const batch = symbolDim("imageBatch");
  return {
    modality: "image",
    embedDim: EMBED,
    inputs: [{ name: "image", shape: [batch, 5], dtype: "float32" }],
    facts: {},
    build: ({ scope, random, mode }, inputs) => {
      const x = inputs["image"]!;
      const weight = scope.parameter("weight", [5, EMBED], { initializer: normal(0.5) });
      const running = scope.buffer("running_mean", [5], zeros);
      const count = scope.buffer("num_batches_tracked", [], zeros);
      const kept =
        mode === "train"
          ? random.declare("visual.dropout", [batch, 5], { kind: "dropout", keep: 0.75 })
          : undefined;
      if (mode === "train") {
        scope.updateBuffer(
          "running_mean",
          add(mul(running, 0.9), mul(mean(x, { axes: [0] }), 0.1)),
        );
        scope.updateBuffer("num_batches_tracked", add(count, 1));
      }
      const pooled = matmul(kept ? mul(x, kept) : x, weight);
      return { pooled, intermediates: {} };
    },
  };
}

function textTower(): Encoder {
  return {
    modality: "text",
    embedDim: EMBED,
    inputs: [{ name: "text", shape: [symbolDim("textBatch"), 2], dtype: "float32" }],
    facts: {},
    build: ({ scope }, inputs) => {
      const weight = scope.parameter("text_projection", [2, EMBED], { initializer: normal(0.5) });
      const bias = scope.parameter("text_bias", [EMBED], { initializer: ones });
      scope.parameter("unread", [2], { initializer: ones });
      return { pooled: add(matmul(inputs["text"]!, weight), bias), intermediates: {} };
    },
  };
}

/** Mean squared difference of the pooled vectors of equal rows, times the similarity scale. */
const difference: Loss = {
  name: "difference",
  needs: ["features"],
  auxiliary: [],
  scope: "batch",
  build: (_, { encoded, logitScale }) => {
    const apart = sub(encoded["image"]!.pooled, encoded["text"]!.pooled);
    const squares: Value = sum(mul(apart, apart));
    return {
      loss: mul(mul(squares, exp(logitScale)), 0.01),
      metrics: { squares },
    };
  },
};

/** The tiny model in training mode, both batches ROWS rows. */
export function tinyBuilt(mode: "train" | "eval" = "train", loss: Loss = difference): BuiltLoss {
  const model = createMultiEncoder({
    encoders: { image: imageTower(), text: textTower() },
    logitScale: { initial: 4.6, bounds: [0, 4.605] },
  });
  // One symbol for both towers, as batches of this test pair their rows.
  const batch = symbolDim("imageBatch");
  const encoders = Object.fromEntries(
    Object.entries(model.encoders).map(([name, encoder]) => [
      name,
      {
        ...encoder,
        inputs: encoder.inputs.map((each) => ({ ...each, shape: [batch, ...each.shape.slice(1)] })),
      },
    ]),
  );
  return buildLoss(buildEncoders({ ...model, encoders, mode }), loss);
}

const tinyAdamw = (): Optimizer => createAdamw(adamwSchema.parse({}));

export function tinyStep(options: Partial<TrainStepOptions> = {}): TrainStep {
  return buildTrainStep({
    built: tinyBuilt(),
    optimizer: tinyAdamw(),
    binding: { imageBatch: ROWS },
    ...options,
  });
}

export async function tinyTrainer(
  step: TrainStep = tinyStep({ ema: 0.9 }),
  { backend = createReferenceBackend(), seed = 7 }: { backend?: Backend; seed?: number } = {},
): Promise<Trainer> {
  const initial = initialiseParameters(step.parameters, createRandom(seed).split("init"));
  return Trainer.create({ backend, step, initial, seed });
}

/** The batch of a step: numbers that follow from it. */
export function tinyBatch(step: number): TrainingBatch {
  const random = createRandom(99).split(step);
  const values = (rows: number, width: number): number[] =>
    Array.from({ length: rows * width }, () => random.normal());
  return {
    step,
    epoch: Math.floor(step / 10),
    feeds: {
      image: hostTensorFrom("float32", [ROWS, 5], values(ROWS, 5)),
      text: hostTensorFrom("float32", [ROWS, 2], values(ROWS, 2)),
    },
  };
}

/** Endless batches from a step on. */
export async function* tinyBatches(from = 0): AsyncGenerator<TrainingBatch> {
  for (let step = from; ; step++) yield tinyBatch(step);
}

export const tinySchedule: Schedule = {
  name: "test",
  learningRate: (step) => 0.05 / (1 + step),
};
