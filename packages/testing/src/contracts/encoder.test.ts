import {
  add,
  matmul,
  mean,
  mul,
  normal,
  reshape,
  shapeOf,
  sub,
  symbolDim,
  take,
  zeros,
  input,
  cast,
  type BuildContext,
  type Encoder,
  type EncoderOutput,
  type Value,
} from "@diptych/core";
import { describe, it } from "vitest";
import { expectFaultsFound } from "../failing-checks.test-support.js";
import { describeEncoderContract, encoderChecks } from "./encoder.js";

const batch = symbolDim("textBatch");
const tokens = symbolDim("textTokens");

/** The mean of embeddings, projected, with dropout in training. */
function buildWords({ scope, mode, random }: BuildContext, ids: Value): EncoderOutput {
  const table = scope.parameter("token_embedding", [7, 4], { initializer: normal(1) });
  const projection = scope.parameter("proj", [4, 3], { initializer: normal(1) });
  const bias = scope.parameter("bias", [3], { initializer: zeros });
  const embedded = take(table, ids);
  const average = mean(embedded, { axes: [1] });
  const kept =
    mode === "train"
      ? mul(average, random.declare("dropout", [batch, 4], { kind: "dropout", keep: 0.5 }))
      : average;
  return {
    pooled: add(matmul(kept, projection), bias),
    tokens: embedded,
    intermediates: { "text/mean": average },
  };
}

const words: Encoder = {
  modality: "text",
  embedDim: 3,
  inputs: [{ name: "text", shape: [batch, tokens], dtype: "int32" }],
  facts: { vocab: 7, contextLength: 3 },
  build: (context, inputs) => buildWords(context, inputs["text"]!),
};

describeEncoderContract({ name: "words", create: () => words });

describe("the suite", () => {
  const broken = (change: Partial<Encoder>) => ({
    name: "broken",
    create: (): Encoder => ({ ...words, ...change }),
  });
  const building = (
    change: (output: EncoderOutput, context: BuildContext, ids: Value) => EncoderOutput,
  ) =>
    broken({
      build: (context, inputs) =>
        change(buildWords(context, inputs["text"]!), context, inputs["text"]!),
    });
  const pooling = (change: (pooled: Value, context: BuildContext, ids: Value) => Value) =>
    building((output, context, ids) => ({
      ...output,
      pooled: change(output.pooled, context, ids),
    }));

  it("finds every fault", async () => {
    let built = 0;
    await expectFaultsFound(encoderChecks, [
      [
        "an input of fixed batch",
        broken({ inputs: [{ name: "text", shape: [2, tokens], dtype: "int32" }] }),
        /symbolic batch/,
      ],
      ["features of another width", broken({ embedDim: 4 }), /pooled features/],
      [
        "features of another dtype",
        pooling((pooled) => cast(pooled, "float16")),
        /pooled features/,
      ],
      [
        "tokens without an axis",
        building((output) => ({ ...output, tokens: output.pooled })),
        /pooled features/,
      ],
      [
        "an intermediate without a path",
        building((output) => ({ ...output, intermediates: { "": output.pooled } })),
        /intermediates/,
      ],
      [
        "a parameter of the training mode alone",
        pooling((pooled, { scope, mode }) =>
          mode === "train"
            ? add(pooled, scope.parameter("extra", [3], { initializer: zeros }))
            : pooled,
        ),
        /same parameters/,
      ],
      [
        "a parameter with a name that changes",
        pooling((pooled, { scope }) =>
          add(pooled, scope.parameter(`extra${built++}`, [3], { initializer: zeros })),
        ),
        /same parameters/,
      ],
      [
        "dropout in evaluation",
        pooling((pooled, { random, mode }) =>
          mode === "eval"
            ? mul(pooled, random.declare("noise", [batch, 3], { kind: "normal" }))
            : pooled,
        ),
        /free of chance/,
      ],
      [
        "a buffer updated in evaluation",
        pooling((pooled, { scope }) => {
          scope.buffer("seen", [], zeros);
          scope.updateBuffer("seen", mean(pooled));
          return pooled;
        }),
        /free of chance/,
      ],
      [
        "an input of its own",
        pooling((pooled) => add(pooled, cast(input("text", [batch, 3], "int32"), "float32"))),
        /values that it is given/,
      ],
      [
        "NaN",
        pooling((pooled) => sub(mul(pooled, Infinity), mul(pooled, Infinity))),
        /finite features/,
      ],
      [
        "features of the whole batch",
        pooling((pooled) => sub(pooled, mean(pooled, { axes: [0], keepDims: true }))),
        /on its own/,
      ],
      ["the same features for all", pooling((pooled) => mul(pooled, 0)), /finite features/],
      [
        "a weight that nothing reads",
        building((output, { scope }) => {
          scope.parameter("idle", [2], { initializer: zeros });
          return output;
        }),
        /every weight learn/,
      ],
      [
        "a batch that is lost",
        pooling((pooled) => reshape(mean(pooled, { axes: [0] }), [1, shapeOf(pooled)[1]!])),
        /pooled features/,
      ],
    ]);
  });
});
