import {
  createRandom,
  equalShapes,
  hostTensorFrom,
  hostValues,
  initialiseParameters,
  inputName,
  isDiptychError,
  isLeafInput,
  mul,
  scalar,
  type HostTensor,
  type Loss,
} from "@diptych/core";
import { nodesInOrder } from "@diptych/core/backend";
import { evaluateGraph } from "@diptych/core/reference";
import { describe, expect, test } from "vitest";
import { createAdamw } from "../optimizers/adamw.js";
import { adamwSchema, sgdSchema } from "../optimizers/config.js";
import { createSgd } from "../optimizers/sgd.js";
import { drawRandomInputs } from "../trainer/random-inputs.js";
import {
  ROWS,
  tinyBatch,
  tinyBuilt,
  tinyStep,
  tinyTrainer,
} from "../trainer/tiny-run.test-support.js";
import { batchBinding } from "./batch-binding.js";
import { buildTrainStep } from "./build-train-step.js";
import { emaRate, type TrainStep } from "./train-step.js";

const sgdStep = (options: Parameters<typeof tinyStep>[0] = {}): TrainStep =>
  tinyStep({ optimizer: createSgd(sgdSchema.parse({ momentum: 0 })), clipNorm: null, ...options });

/** Evaluates the gradient graph on the first values and the first batch. */
function gradientsOf(step: TrainStep): Readonly<Record<string, Float64Array>> {
  const feeds: Record<string, HostTensor> = {
    ...Object.fromEntries(initialiseParameters(step.parameters, createRandom(7).split("init"))),
    ...tinyBatch(0).feeds,
    ...drawRandomInputs(step.randomInputs, 7, 0),
  };
  const read = step.gradient.inputs.map(({ node }) => {
    const name = inputName(node);
    return [name, feeds[name]!] as const;
  });
  const outputs = evaluateGraph(step.gradient, Object.fromEntries(read));
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
}

/** Parameters before and after one step. */
async function oneStep(step: TrainStep, learningRate: number) {
  const trainer = await tinyTrainer(step);
  const before = await trainer.readParameters();
  const outcome = await trainer.runStep(tinyBatch(0), { learningRate });
  const after = await trainer.readParameters();
  const averages = await trainer.readParameters({ average: true });
  await trainer.dispose();
  if (outcome.status !== "done") throw new Error(outcome.status);
  return { before, after, averages, report: outcome.report };
}

describe("the gradient graph", () => {
  test("reports loss, norm, scale and metrics, and gives gradients and buffers", () => {
    const step = tinyStep();
    const outputs = gradientsOf(step);
    expect(step.reportNames).toEqual([
      "loss",
      "gradNorm",
      "finite",
      "logitScale",
      "metric.squares",
    ]);
    const [loss, gradNorm, finite, logitScale, squares] = outputs["report"]!;
    expect(loss! / (Math.fround(0.01) * squares! * Math.exp(logitScale!))).toBeCloseTo(1, 9);
    expect(finite).toBe(1);
    const squared = step.trained
      .flatMap((name) => Array.from(outputs[`grad.${name}`]!))
      .reduce((total, value) => total + value * value, 0);
    expect(gradNorm).toBeCloseTo(Math.sqrt(squared), 6);
    expect(outputs["gradNorm"]![0]).toBe(gradNorm);
    expect(outputs["buffer.visual.num_batches_tracked"]).toEqual(Float64Array.of(1));
  });

  test("the loss's derivative by the log scale is the loss itself", () => {
    const outputs = gradientsOf(tinyStep());
    expect(outputs["grad.logit_scale"]![0]).toBeCloseTo(outputs["report"]![0]!, 9);
  });

  test("is the same with rematerialisation", () => {
    expect(gradientsOf(tinyStep({ rematerialise: true }))).toEqual(gradientsOf(tinyStep()));
  });

  test("what the loss does not reach or a group freezes is not trained, and said so", () => {
    const step = tinyStep({
      optimizer: createAdamw(
        adamwSchema.parse({ groups: [{ pattern: "text_*", learningRateScale: 0 }] }),
      ),
    });
    expect(step.untrained).toEqual(["text_projection", "text_bias", "unread"]);
    expect(step.trained).toEqual(["visual.weight", "logit_scale"]);
    expect(Object.keys(step.gradient.outputs)).not.toContain("grad.text_bias");
    expect(tinyStep().untrained).toEqual(["unread"]);
  });

  test("refuses a model in evaluation mode and a loss that trains nothing", () => {
    const options = { optimizer: createAdamw(adamwSchema.parse({})) };
    expect(() => buildTrainStep({ built: tinyBuilt("eval"), ...options })).toThrow(
      /expected a model in training mode, got eval/,
    );
    const constantLoss: Loss = {
      name: "nothing",
      needs: [],
      auxiliary: [],
      scope: "batch",
      build: () => ({ loss: mul(scalar(1), scalar(2)), metrics: {} }),
    };
    expect(() => buildTrainStep({ built: tinyBuilt("train", constantLoss), ...options })).toThrow(
      /some of the 5 weights to train, got none/,
    );
  });

  test("checks groups against the model", () => {
    const optimizer = createAdamw(adamwSchema.parse({ groups: [{ pattern: "visul.weight" }] }));
    expect(() => tinyStep({ optimizer })).toThrow(/nearest name "visual\.weight"/);
  });
});

describe("the update graph", () => {
  test("without clipping, SGD takes lr · gradient from the weights", async () => {
    const step = sgdStep();
    const gradient = gradientsOf(step)["grad.text_bias"]!;
    const { before, after } = await oneStep(step, 0.5);
    hostValues(after.get("text_bias")!).forEach((value, i) => {
      const expected = hostValues(before.get("text_bias")!)[i]! - 0.5 * gradient[i]!;
      expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
    });
  });

  test.each([0.001, 1e9])("clips to the norm %d as clip_grad_norm_", async (clipNorm) => {
    const step = sgdStep({ clipNorm });
    const { before, after, report } = await oneStep(step, 1);
    const factor = Math.min(1, clipNorm / (report.gradNorm + 1e-6));
    const gradient = gradientsOf(step)["grad.text_projection"]!;
    hostValues(after.get("text_projection")!).forEach((value, i) => {
      const expected = hostValues(before.get("text_projection")!)[i]! - factor * gradient[i]!;
      expect(Math.abs(value - expected)).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected)));
    });
  });

  test("clamps a bounded parameter after the step", async () => {
    // The gradient by the log scale is the loss, so a negative rate pushes it up.
    expect((await oneStep(sgdStep(), -1)).after.get("logit_scale")!.data[0]).toBe(
      Math.fround(4.605),
    );
    expect((await oneStep(sgdStep(), 1e3)).after.get("logit_scale")!.data[0]).toBe(0);
  });

  test("buffers take their new values, untrained weights stay", async () => {
    const { before, after } = await oneStep(tinyStep(), 0.1);
    expect(after.get("visual.num_batches_tracked")!.data[0]).toBe(1);
    expect(after.get("visual.running_mean")).not.toEqual(before.get("visual.running_mean"));
    expect(after.get("unread")).toEqual(before.get("unread"));
  });

  test("averages move by the rate; counters are not averaged", async () => {
    const { before, after, averages } = await oneStep(tinyStep({ ema: 0.99 }), 0.1);
    expect(emaRate(0.99, 0)).toBe(0.9);
    expect(emaRate(0.99, 10_000)).toBeCloseTo(0.01, 12);
    for (const name of ["visual.weight", "visual.running_mean"]) {
      const [old, next] = [hostValues(before.get(name)!), hostValues(after.get(name)!)];
      hostValues(averages.get(name)!).forEach((value, i) => {
        expect(value).toBeCloseTo(old[i]! + 0.9 * (next[i]! - old[i]!), 6);
      });
    }
    expect(averages.get("visual.num_batches_tracked")!.data[0]).toBe(1);
    expect(averages.get("unread")).toEqual(after.get("unread"));
  });

  test("every state tensor but buffers, counters and untrained weights is donated", () => {
    const step = tinyStep({ ema: 0.9 });
    const kept = ["visual.running_mean", "visual.num_batches_tracked", "unread"];
    const expected = step.state.map(({ name }) => name).filter((name) => !kept.includes(name));
    expect(Object.keys(step.donate).sort()).toEqual(expected.sort());
  });

  test("AdamW takes twelve passes over memory per decayed weight, clipping included", () => {
    const step = tinyStep();
    const outputs = [
      "visual.weight",
      "optimizer.sum.visual.weight",
      "optimizer.squares.visual.weight",
    ];
    const nodes = nodesInOrder(outputs.map((name) => step.update.outputs[`new.${name}`]!));
    const passes = nodes.filter(
      (node) => !isLeafInput(node) && equalShapes(node.outputs[0]!.shape, [5, 3]),
    );
    expect(passes.length).toBe(12);
  });
});

test("the binding of a batch names the sizes of symbols", () => {
  const built = tinyBuilt();
  expect(batchBinding(built, tinyBatch(0).feeds)).toEqual({ imageBatch: ROWS });
  const other = { ...tinyBatch(0).feeds, text: hostTensorFrom("float32", [1, 2], [1, 2]) };
  expect(() => batchBinding(built, other)).toThrow(/imageBatch to be 4 as before, got 1/);
  try {
    batchBinding(built, { image: { shape: [4] } });
    expect.unreachable();
  } catch (error) {
    expect(isDiptychError(error, "SHAPE")).toBe(true);
  }
});
