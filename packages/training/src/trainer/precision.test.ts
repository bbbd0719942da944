// Precisions of a step on the reference, which computes in float64 whatever the dtype: what the graphs hold, the loss scale
// and skipped steps. What 16 bits do to the numbers is tested on a backend that rounds (diptych's precision.conformance).
import {
  exp,
  isDiptychError,
  matmul,
  mean,
  mul,
  type Backend,
  type DType,
  type Loss,
} from "@diptych/core";
import { graphNodes } from "@diptych/core/backend";
import { createReferenceBackend } from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import type { TrainStep } from "../train-step/train-step.js";
import type { TrainingBatch } from "./batches.js";
import { precisionNotice } from "./check-precision.js";
import type { TrainingEvent } from "./events.js";
import { INITIAL_LOSS_SCALE, nextLossScale } from "./loss-scale.js";
import {
  tinyBatch,
  tinyBatches,
  tinyBuilt,
  tinySchedule,
  tinyStep,
  tinyTrainer,
} from "./tiny-run.test-support.js";
import type { Trainer } from "./trainer.js";

const run = (trainer: Trainer, batch: TrainingBatch) =>
  trainer.runStep(batch, { learningRate: tinySchedule.learningRate(batch.step) });

/** A batch whose loss is no number. */
function infiniteBatch(step: number): TrainingBatch {
  const batch = tinyBatch(step);
  batch.feeds["image"]!.data[0] = Infinity;
  return batch;
}

/** dtypes of the operands of every product. */
const productDtypes = ({ gradient }: TrainStep): ReadonlySet<DType> =>
  new Set(
    graphNodes(gradient)
      .filter(({ op }) => op === "matmul")
      .flatMap(({ inputs }) => inputs.map(({ node, index }) => node.outputs[index]!.dtype)),
  );

/** The reference without some dtypes. */
function lacking(...missing: readonly DType[]): Backend {
  const backend = createReferenceBackend();
  const { capabilities } = backend;
  const dtypes = new Set([...capabilities.dtypes].filter((dtype) => !missing.includes(dtype)));
  return { ...backend, capabilities: { ...capabilities, dtypes } };
}

describe("a step's graphs", () => {
  it("multiply in 16 bits; weights, gradients and state are float32", () => {
    for (const [precision, low] of [
      ["mixed-bf16", "bfloat16"],
      ["mixed-fp16", "float16"],
    ] as const) {
      const step = tinyStep({ precision, ema: 0.9 });
      expect(productDtypes(step)).toEqual(new Set([low]));
      const outside = [step.gradient, step.update].flatMap((graph) => [
        ...graph.inputs,
        ...Object.values(graph.outputs),
      ]);
      expect(new Set(outside.map(({ node, index }) => node.outputs[index]!.dtype))).toEqual(
        new Set(["float32"]),
      );
    }
    expect(productDtypes(tinyStep())).toEqual(new Set(["float32"]));
  });

  it("keep similarities of the loss in float32, where products of the towers are in 16 bits", () => {
    const similarities: Loss = {
      name: "similarities",
      needs: ["features"],
      auxiliary: [],
      scope: "batch",
      build: (_, { normalized, logitScale }) => {
        const rows = mul(normalized["image"]!, exp(logitScale));
        const logits = matmul(rows, normalized["text"]!, { transposeB: true });
        return { loss: mean(logits), metrics: {} };
      },
    };
    const step = tinyStep({ precision: "mixed-bf16", built: tinyBuilt("train", similarities) });
    expect(productDtypes(step)).toEqual(new Set(["bfloat16", "float32"]));
    const scaled = graphNodes(step.gradient).find(
      ({ op, inputs }) => op === "matmul" && inputs[0]!.node.op === "mul",
    );
    expect(scaled!.outputs[0]!.dtype).toBe("float32");
  });

  it("read parameters under their names, and recompute in the precision too", () => {
    const step = tinyStep({ precision: "mixed-bf16", rematerialise: true });
    expect(step.trained).toEqual(tinyStep().trained);
    expect(productDtypes(step)).toEqual(new Set(["bfloat16"]));
  });
});

it("a loss scale changes nothing where nothing rounds: twenty steps as in float32", async () => {
  // A constant as large as 2 to the 16th would show in a norm, a clip or an update that forgot to take it back.
  const [plain, scaled] = [
    await tinyTrainer(tinyStep({ ema: 0.9 })),
    await tinyTrainer(tinyStep({ ema: 0.9, precision: "mixed-fp16" })),
  ];
  for (let i = 0; i < 20; i++) {
    const [a, b] = [await run(plain, tinyBatch(i)), await run(scaled, tinyBatch(i))];
    if (a.status !== "done" || b.status !== "done") throw new Error(`${a.status}, ${b.status}`);
    expect(b.report.loss).toBeCloseTo(a.report.loss, 6);
    expect(b.report.gradNorm / a.report.gradNorm).toBeCloseTo(1, 6);
  }
  const [expected, actual] = [await plain.readParameters(), await scaled.readParameters()];
  for (const [name, { data }] of expected)
    data.forEach((value, i) => expect(actual.get(name)!.data[i]).toBeCloseTo(value, 6));
  await plain.dispose();
  await scaled.dispose();
});

describe("the loss scale", () => {
  it("halves where a step overflows and doubles after 2,000 that do not", () => {
    const halved = nextLossScale({ scale: 8, good: 1500 }, false);
    expect(halved).toEqual({ scale: 4, good: 0 });
    let scale = halved;
    for (let i = 0; i < 1999; i++) scale = nextLossScale(scale, true);
    expect(scale).toEqual({ scale: 4, good: 1999 });
    expect(nextLossScale(scale, true)).toEqual({ scale: 8, good: 0 });
  });

  it("skips a step that overflows: it is done, and nothing else has changed", async () => {
    const trainer = await tinyTrainer(tinyStep({ ema: 0.9, precision: "mixed-fp16" }));
    await run(trainer, tinyBatch(0));
    const before = await trainer.readState();
    const outcome = await run(trainer, infiniteBatch(1));
    expect(outcome.status).toBe("skipped");
    expect(trainer).toMatchObject({ step: 2, skippedSteps: 1, lossScale: 2 ** 15 });
    const after = await trainer.readState();
    expect([...after.tensors]).toEqual([...before.tensors]);
    expect(after.metadata).toMatchObject({
      step: 2,
      skippedSteps: 1,
      lossScale: { scale: 2 ** 15, good: 0 },
      precision: "mixed-fp16",
    });
    await trainer.dispose();
  });

  it("the optimizer's own count leaves skipped steps out, as PyTorch's does", async () => {
    const updates: number[] = [];
    const step = tinyStep({ precision: "mixed-fp16" });
    const { optimizer } = step;
    const counted: TrainStep = {
      ...step,
      optimizer: {
        ...optimizer,
        scalars: (i, learningRate) => {
          updates.push(i);
          return optimizer.scalars(i, learningRate);
        },
      },
    };
    const trainer = await tinyTrainer(counted);
    for (const batch of [tinyBatch(0), infiniteBatch(1), tinyBatch(2)]) await run(trainer, batch);
    expect(updates).toEqual([0, 1, 1]);
    await trainer.dispose();
  });

  it("goes on from a saved state bit for bit, its scale and skips too", async () => {
    const step = tinyStep({ ema: 0.9, precision: "mixed-fp16" });
    const batches = [tinyBatch(0), infiniteBatch(1), tinyBatch(2), tinyBatch(3)];
    const whole = await tinyTrainer(step);
    for (const batch of batches) await run(whole, batch);
    const first = await tinyTrainer(step);
    for (const batch of batches.slice(0, 2)) await run(first, batch);
    const second = await tinyTrainer(step);
    await second.loadState(await first.readState());
    for (const batch of batches.slice(2)) await run(second, batch);
    expect(await second.readState()).toEqual(await whole.readState());
    for (const trainer of [whole, first, second]) await trainer.dispose();
  });

  it("a state made in one precision goes on in another", async () => {
    const mixed = await tinyTrainer(tinyStep({ precision: "mixed-fp16" }));
    await run(mixed, tinyBatch(0));
    await run(mixed, infiniteBatch(1));
    const plain = await tinyTrainer(tinyStep());
    await plain.loadState(await mixed.readState());
    expect(plain).toMatchObject({ step: 2, skippedSteps: 1, lossScale: undefined });
    await run(plain, tinyBatch(2));
    const again = await tinyTrainer(tinyStep({ precision: "mixed-fp16" }));
    await again.loadState(await plain.readState());
    expect(again.lossScale).toBe(INITIAL_LOSS_SCALE.scale);
    for (const trainer of [mixed, plain, again]) await trainer.dispose();
  });

  it("what does not become finite with a scale of 1 ends the run, with its state saved", async () => {
    const trainer = await tinyTrainer(tinyStep({ precision: "mixed-fp16" }));
    const events: TrainingEvent[] = [];
    async function* batches(): AsyncGenerator<TrainingBatch> {
      yield tinyBatch(0);
      for (let i = 1; ; i++) yield infiniteBatch(i);
    }
    const failure = trainer.fit({
      batches: batches(),
      schedule: tinySchedule,
      totalSteps: 100,
      on: (event) => void events.push(event),
    });
    await expect(failure).rejects.toThrow(/expected finite numbers/);
    // 2^16 is halved sixteen times.
    expect(trainer).toMatchObject({ step: 17, skippedSteps: 16, lossScale: 1 });
    expect(events.filter(({ event }) => event === "step").at(-1)).toMatchObject({
      lossScale: 2,
      skippedSteps: 16,
    });
    expect(events.at(-1)).toMatchObject({ event: "end", reason: "notFinite", skippedSteps: 16 });
    await trainer.dispose();
  });
});

it("in float32 and bfloat16 a step that is not finite ends the run at once", async () => {
  for (const precision of ["fp32", "mixed-bf16"] as const) {
    const trainer = await tinyTrainer(tinyStep({ precision }));
    expect((await run(trainer, infiniteBatch(0))).status).toBe("notFinite");
    expect(trainer.step).toBe(0);
    await trainer.dispose();
  }
});

it("calibration restores the loss scale", async () => {
  const trainer = await tinyTrainer(tinyStep({ precision: "mixed-fp16" }));
  await trainer.calibrateSteps({ seconds: 0.5, batches: tinyBatches() });
  expect(trainer).toMatchObject({ step: 0, skippedSteps: 0, lossScale: INITIAL_LOSS_SCALE.scale });
  expect((await trainer.readState()).metadata.lossScale).toEqual(INITIAL_LOSS_SCALE);
  await trainer.dispose();
});

it("a backend without the dtype is refused by name, with what it has", async () => {
  const step = tinyStep({ precision: "mixed-bf16" });
  const failure = tinyTrainer(step, { backend: lacking("bfloat16") });
  await expect(failure).rejects.toThrow(
    /training\.precision: expected one that the backend computes \(fp32, mixed-fp16\), got mixed-bf16 \(reference/,
  );
  await expect(failure).rejects.toSatisfy((error) => isDiptychError(error, "CONFIG"));
});

it("an emulated dtype is told, one that the backend computes in is not", () => {
  const backend = createReferenceBackend();
  const emulating = {
    ...backend,
    capabilities: { ...backend.capabilities, emulatedDtypes: new Set<DType>(["bfloat16"]) },
  };
  expect(precisionNotice("mixed-bf16", emulating)).toMatch(/bfloat16 in float32 between two casts/);
  expect(precisionNotice("mixed-bf16", backend)).toBeUndefined();
  expect(precisionNotice("fp32", emulating)).toBeUndefined();
});
