// Twenty steps of training against PyTorch's, on any backend: judged by the distance from PyTorch's own float64 run,
// relative to how far PyTorch's float32 run is from it.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  buildEncoders,
  buildLoss,
  createHostTensor,
  equalHostTensors,
  hostTensorFrom,
  hostValues,
  type Backend,
  type HostTensor,
} from "@diptych/core";
import { createInfoNce } from "@diptych/losses";
import {
  adamwSchema,
  buildTrainStep,
  cosineSchema,
  createAdamw,
  createCosine,
  Trainer,
} from "@diptych/training";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { createOpenClipModel } from "../open-clip-model.js";
import {
  goldenFolder,
  loadModelGolden,
  readTensors,
  transformerGoldens,
  type Tensors,
} from "./models.golden.test-support.js";

const recordSchema = z.object({
  step: z.number(),
  lr: z.number(),
  loss: z.number(),
  grad_norm: z.number(),
  logit_scale: z.number(),
});
type StepRecord = z.output<typeof recordSchema>;

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
type TrainingGolden = z.output<typeof trainingSchema>;

/** What a run may be away from float64, in multiples of what PyTorch's float32 is, and beyond it. */
const FACTOR = 5;
const FLOOR = 1e-6;
const ROWS = 6;

/** Rows (step % 4) · 6 … + 6 of the fixture's pictures and texts. */
function batchOf(tensors: Tensors, step: number): Record<string, HostTensor> {
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

interface GoldenRun {
  readonly golden: TrainingGolden;
  readonly history: readonly StepRecord[];
  readonly after: Tensors;
  readonly expected: Tensors;
}

async function train(name: string, backend: Backend, resumeAt?: number): Promise<GoldenRun> {
  const folder = path.join(goldenFolder, "models", name);
  const golden = trainingSchema.parse(
    JSON.parse(readFileSync(path.join(folder, "training.json"), "utf8")),
  );
  const expected = await readTensors(path.join(folder, "training.safetensors"));
  const { config, weights } = await loadModelGolden(name);
  const model = buildEncoders({ ...createOpenClipModel(config), mode: "train" });
  const built = buildLoss(model, createInfoNce());
  const step = buildTrainStep({
    built,
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
  for (const spec of step.parameters) {
    const decayed = step.optimizer.groupOf(spec).weightDecay > 0;
    expect([spec.name, decayed]).toEqual([spec.name, !golden.no_decay.includes(spec.name)]);
  }
  const schedule = createCosine(
    cosineSchema.parse({ learningRate: golden.base_lr, warmupSteps: golden.warmup }),
    { totalSteps: golden.total },
  );
  const createTrainer = (): Promise<Trainer> =>
    Trainer.create({ backend, step, initial: weights, seed: 0 });
  let trainer = await createTrainer();
  try {
    const history: StepRecord[] = [];
    for (let i = 0; i < golden.total; i++) {
      if (i === resumeAt) {
        const state = await trainer.readState();
        await trainer.dispose();
        trainer = await createTrainer();
        await trainer.loadState(state);
      }
      const lr = schedule.learningRate(i);
      const outcome = await trainer.runStep({ feeds: batchOf(expected, i) }, { learningRate: lr });
      if (outcome.status !== "done") throw new Error(`step ${i}: ${outcome.status}`);
      const { loss, gradNorm } = outcome.report;
      const scale = await trainer.deviceParameters()["logit_scale"]!.read();
      history.push({ step: i, lr, loss, grad_norm: gradNorm, logit_scale: scale.data[0]! });
    }
    return { golden, history, after: await trainer.readParameters(), expected };
  } finally {
    await trainer.dispose();
  }
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Largest difference relative to the largest entry of `truth`; NaN where anything is not a number. */
function relativeDistance(values: ArrayLike<number>, truth: ArrayLike<number>): number {
  expect(values.length).toBe(truth.length);
  let most = 0;
  for (let i = 0; i < truth.length; i++) {
    const difference = Math.abs(values[i]! - truth[i]!);
    if (!(difference <= most)) most = difference;
  }
  return most / Math.max(largest(truth), Number.MIN_VALUE);
}

/** Declares the tests of every golden model with a training run, on one backend. */
export function describeTrainingGoldens(
  what: string,
  createBackend: () => Promise<Backend> | Backend,
): void {
  const names = transformerGoldens().filter((name) =>
    existsSync(path.join(goldenFolder, "models", name, "training.json")),
  );
  test("there are training runs to compare with", () => {
    expect(names.length).toBeGreaterThan(0);
  });

  describe.each(names)(`training %s on ${what}`, (name) => {
    let backend: Backend;
    let run: GoldenRun;
    beforeAll(async () => {
      backend = await createBackend();
      run = await train(name, backend);
    }, 300_000);
    afterAll(async () => {
      expect(backend.memory().tensors).toBe(0);
      await backend.dispose();
    });

    test("learning rates are the schedule's", () => {
      run.golden.history.forEach(({ lr }, i) => {
        expect(run.history[i]!.lr).toBeCloseTo(lr, 15);
      });
    });

    test.each(["loss", "grad_norm", "logit_scale"] as const)(
      "%s is as near to float64 as PyTorch's float32",
      (key) => {
        const truth = run.golden.history_float64.map((record) => record[key]);
        const torch = relativeDistance(
          run.golden.history.map((record) => record[key]),
          truth,
        );
        const ours = relativeDistance(
          run.history.map((record) => record[key]),
          truth,
        );
        expect(ours).toBeLessThanOrEqual(FACTOR * torch + FLOOR);
      },
    );

    test("resuming in the middle gives the same weights bit for bit", async () => {
      const resumed = await train(name, backend, 7);
      for (const [parameter, value] of run.after) {
        const same = equalHostTensors(value, resumed.after.get(parameter)!);
        expect([parameter, same]).toEqual([parameter, true]);
      }
    });

    test("final weights are as near as PyTorch's float32", () => {
      const distances = run.golden.float32_vs_float64_final_weights;
      const far: Record<string, readonly [number, number]> = {};
      for (const [parameter, value] of run.after) {
        const truth = hostValues(run.expected.get(`after.${parameter}`)!);
        const bound = FACTOR * distances[parameter]! + FLOOR;
        const ours = relativeDistance(hostValues(value), truth);
        if (!(ours <= bound)) far[parameter] = [ours, bound];
      }
      expect(run.after.size).toBe(Object.keys(distances).length);
      expect(far).toEqual({});
    });
  });
}
