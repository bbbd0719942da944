import {
  abs,
  add,
  cast,
  div,
  equal,
  exp,
  input,
  iota,
  log,
  logSoftmax,
  matmul,
  mean,
  mul,
  neg,
  ones,
  reshape,
  sampleInput,
  shapeOf,
  sliceAxis,
  softmax,
  sqrt,
  stopGradient,
  sub,
  sum,
  symbolDim,
  transpose,
  type BuildContext,
  type Loss,
  type LossInputs,
  type LossOutput,
  type Value,
} from "@diptych/core";
import { describe, it } from "vitest";
import { expectFaultsFound } from "../failing-checks.test-support.js";
import { describeLossContract, lossChecks, type LossContractOptions } from "./loss.js";

/** −log softmax of each image's own text. */
function buildContrast({ normalized, logitScale }: LossInputs): Value {
  const [image, text] = [normalized["image"]!, normalized["text"]!];
  const logits = mul(matmul(image, text, { transposeB: true }), exp(logitScale));
  const rows = iota(shapeOf(image)[0]!);
  const own = cast(equal(reshape(rows, [-1, 1]), reshape(rows, [1, -1])), "float32");
  return neg(mean(sum(mul(logSoftmax(logits), own), { axes: [1] })));
}

const contrast: Loss = {
  name: "contrast",
  needs: ["features"],
  auxiliary: [],
  scope: "batch",
  build: (_, inputs) => ({
    loss: buildContrast(inputs),
    metrics: { scale: exp(inputs.logitScale) },
  }),
};

/** Mean squared distance of each pair, with a learned weight. */
const distance: Loss = {
  name: "distance",
  needs: ["features"],
  auxiliary: [],
  scope: "sample",
  build: ({ scope }, { normalized }) => {
    const weight = scope.parameter("weight", [4], { initializer: ones });
    const difference = sub(normalized["image"]!, normalized["text"]!);
    return { loss: mean(mul(mul(difference, difference), weight)), metrics: {} };
  },
};

const both: Loss = {
  name: "both",
  needs: ["features"],
  auxiliary: [],
  scope: "batch",
  parts: [
    { name: "near", loss: distance, weight: 0.5 },
    { name: "contrast", loss: contrast, weight: 2 },
  ],
  build: (context, inputs) => {
    const near = context.scope.within("near", (scope) =>
      distance.build({ ...context, scope }, inputs),
    );
    return { loss: add(mul(near.loss, 0.5), mul(buildContrast(inputs), 2)), metrics: {} };
  },
};

/** The distance, which scores each pair by its negative, weighed alike. */
const scored: Loss = {
  ...distance,
  name: "scored",
  buildScores: ({ scope }, { normalized }) => {
    const weight = scope.parameter("weight", [4], { initializer: ones });
    return matmul(mul(normalized["image"]!, weight), normalized["text"]!, { transposeB: true });
  },
};

describeLossContract({ name: "scored", create: () => scored });
describeLossContract({ name: "contrast", create: () => contrast });
describeLossContract({ name: "distance", create: () => distance });
describeLossContract({ name: "both", create: () => both });

describe("the suite", () => {
  const broken = (loss: Loss, change: Partial<Loss>): LossContractOptions => ({
    name: "broken",
    create: () => ({ ...loss, ...change }),
  });
  const building = (
    loss: Loss,
    change: (output: LossOutput, inputs: LossInputs, context: BuildContext) => LossOutput,
  ) =>
    broken(loss, {
      build: (context, inputs) => change(loss.build(context, inputs), inputs, context),
    });
  const valued = (loss: Loss, change: (value: Value, inputs: LossInputs) => Value) =>
    building(loss, (output, inputs) => ({ ...output, loss: change(output.loss, inputs) }));

  it("finds every fault", async () => {
    let built = 0;
    await expectFaultsFound(lossChecks, [
      [
        "a loss for each sample",
        valued(contrast, (value, { normalized }) =>
          add(value, sum(normalized["image"]!, { axes: [1] })),
        ),
        /scalar/,
      ],
      [
        "a metric that is no scalar",
        building(contrast, (output, { normalized }) => ({
          ...output,
          metrics: { x: normalized["image"]! },
        })),
        /scalar/,
      ],
      [
        "tokens without need",
        valued(contrast, (value, { encoded }) => add(value, mean(encoded["image"]!.tokens!))),
        /only what it needs/,
      ],
      ["features without need", broken(contrast, { needs: [] }), /only what it needs/],
      [
        "a parameter with a name that changes",
        building(distance, (output, _, { scope }) => ({
          ...output,
          loss: mul(output.loss, scope.parameter(`w${built++}`, [], { initializer: ones })),
        })),
        /same each time/,
      ],
      [
        "an auxiliary input twice",
        broken(contrast, {
          auxiliary: [0, 1].map(() => ({ name: "x", shape: [1], dtype: "float32" as const })),
        }),
        /auxiliary/,
      ],
      ["a root at zero", valued(distance, (value) => sqrt(sub(value, 0.01))), /is finite/],
      [
        "a root whose slope is infinite at zero",
        valued(distance, (value, { encoded }) =>
          add(value, sqrt(sum(abs(encoded["image"]!.pooled)))),
        ),
        /is finite/,
      ],
      [
        "a softmax that overflows",
        valued(contrast, (value, { normalized, logitScale }) => {
          const own = sum(mul(normalized["image"]!, normalized["text"]!), { axes: [1] });
          return add(value, log(mean(exp(mul(own, exp(logitScale))))));
        }),
        /is finite/,
      ],
      [
        "a mean over rows that may be none",
        broken(contrast, {
          auxiliary: [sampleInput("image")],
          build: (_, inputs) => {
            const first = cast(equal(inputs.auxiliary["imageSample"]!, 1), "float32");
            const each = sum(mul(inputs.normalized["image"]!, inputs.normalized["text"]!), {
              axes: [1],
            });
            return { loss: div(sum(mul(each, first)), sum(first)), metrics: {} };
          },
        }),
        /is finite/,
      ],
      [
        "an auxiliary input that is not listed",
        valued(contrast, (value, { auxiliary }) => add(value, mean(auxiliary["teacher"] ?? value))),
        /only what it needs/,
      ],
      [
        "a teacher whose features are not listed",
        broken(contrast, { teachers: [{ model: "large", inputs: { image: "x" } }] }),
        /teachers/,
      ],
      [
        "a teacher whose scale is no scalar",
        broken(contrast, {
          auxiliary: [{ name: "x", shape: [symbolDim("imageBatch")], dtype: "float32" as const }],
          teachers: [{ model: "large", inputs: {}, scale: "x" }],
        }),
        /teachers/,
      ],
      ["parts of one name", broken(both, { parts: [0, 1].map(() => both.parts![0]!) }), /parts/],
      ["a part whose need is not told", broken(both, { needs: [] }), /has parts/],
      [
        "a scope too narrow for its parts",
        broken(both, { scope: "sample" }),
        /scope of the widest/,
      ],
      [
        "a part's parameter under another name",
        broken(both, {
          build: (context, inputs) =>
            both.build({ ...context, scope: context.scope.child("other") }, inputs),
        }),
        /parts under their names/,
      ],
      [
        "scores of texts and pictures",
        broken(scored, {
          buildScores: (context, inputs) => transpose(scored.buildScores!(context, inputs)),
        }),
        /each picture with each text/,
      ],
      [
        "scores with a parameter that is never trained",
        broken(scored, {
          buildScores: (context, inputs) =>
            scored.buildScores!({ ...context, scope: context.scope.child("untrained") }, inputs),
        }),
        /parameters that its training/,
      ],
      [
        "scores that depend on the other texts",
        broken(scored, {
          buildScores: (context, inputs) => softmax(scored.buildScores!(context, inputs)),
        }),
        /a pair by itself/,
      ],
      [
        "a gradient that is stopped",
        valued(contrast, (value, { logitScale }) => add(value, stopGradient(logitScale))),
        /central differences/,
      ],
      [
        "a loss that depends on nothing",
        valued(contrast, (_, { logitScale }) => logitScale),
        /depends on what/,
      ],
      [
        "a weight for the first sample",
        valued(contrast, (value, { normalized }) =>
          add(value, mean(sliceAxis(normalized["image"]!, 0, 0, 1))),
        ),
        /order of samples/,
      ],
      ["a sum in place of a mean", broken(contrast, { scope: "sample" }), /mean over samples/],
      ["weights that are not its parts'", valued(both, (value) => mul(value, 2)), /weighted sum/],
      [
        "an input of its own",
        valued(contrast, (value) => add(value, mean(input("hidden", [2])))),
        /finite/,
      ],
    ]);
  });
});
