import {
  buildEncoders,
  buildLoss,
  createMultiEncoder,
  imageInput,
  matmul,
  mean,
  normal,
  reshape,
  shapeOf,
  symbolDim,
  take,
  type Encoder,
} from "@diptych/core";
import { createInfoNce } from "@diptych/losses";
import { adamwSchema, buildTrainStep, createAdamw, type TrainStep } from "@diptych/training";
import { describe, expect, it } from "vitest";
import { stepFlops } from "./step-flops.js";

const BATCH = 4;
const EMBED = 5;
const initializer = normal(0.1);

/** Pixels times one matrix. */
const image: Encoder = {
  modality: "image",
  embedDim: EMBED,
  inputs: [imageInput(2)],
  facts: { imageHeight: 2, imageWidth: 2 },
  build: ({ scope }, inputs) => {
    const pixels = inputs["image"]!;
    const rows = reshape(pixels, [shapeOf(pixels)[0]!, 12]);
    return {
      pooled: matmul(rows, scope.parameter("weight", [12, EMBED], { initializer })),
      intermediates: {},
    };
  },
};

/** The mean of three words times one matrix. */
const text: Encoder = {
  modality: "text",
  embedDim: EMBED,
  inputs: [{ name: "text", shape: [symbolDim("textBatch"), 3], dtype: "int32" }],
  facts: {},
  build: ({ scope }, inputs) => {
    const words = take(scope.parameter("words", [7, 6], { initializer }), inputs["text"]!, 0);
    return {
      pooled: matmul(
        mean(words, { axes: [1] }),
        scope.parameter("text_weight", [6, EMBED], { initializer }),
      ),
      intermediates: {},
    };
  },
};

function stepOf(binding: Record<string, number>, frozen: readonly string[] = []): TrainStep {
  const model = createMultiEncoder({ encoders: { image, text } });
  const built = buildLoss(buildEncoders({ ...model, mode: "train" }), createInfoNce());
  const groups = frozen.map((pattern) => ({ pattern, learningRateScale: 0 }));
  const optimizer = createAdamw(adamwSchema.parse({ groups }));
  return buildTrainStep({ built, optimizer, binding });
}

describe("stepFlops", () => {
  const binding = { imageBatch: BATCH, textBatch: BATCH };
  const pictures = 2 * BATCH * 12 * EMBED;
  const texts = 2 * BATCH * 6 * EMBED;
  const logits = 2 * BATCH * EMBED * BATCH;

  it("is what a hand counts: products of the forward part, and one for each derivative that is needed", () => {
    // Backward: pixels have no derivative, words do; the similarities have one by each side.
    const backward = pictures + 2 * texts + 2 * logits;
    expect(stepFlops(stepOf(binding))).toBe(pictures + texts + logits + backward);
  });

  it("leaves out derivatives of what is frozen", () => {
    const frozen = stepFlops(stepOf(binding, ["words"]));
    expect(frozen).toBe(stepFlops(stepOf(binding)) - texts);
  });

  it("asks for sizes", () => {
    expect(() => stepFlops(stepOf({}))).toThrow(/core\/countFlops/);
  });
});
