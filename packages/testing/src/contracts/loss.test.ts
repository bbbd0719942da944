import {
  add,
  cast,
  equal,
  exp,
  input,
  iota,
  logSoftmax,
  matmul,
  mean,
  mul,
  neg,
  ones,
  reshape,
  shapeOf,
  sliceAxis,
  sqrt,
  stopGradient,
  sub,
  sum,
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
