/** Cases of composites but attention, where they are smooth. */
import type { Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import type { Shape } from "../../tensor/shape.js";
import {
  BATCH,
  BATCHES,
  flags,
  given,
  normal,
  opCase,
  TOKENS,
  uniform,
  type OpCase,
  type OpCaseOptions,
} from "./op-case.js";

type Build = (x: Value) => Value;

const one =
  (op: string) =>
  (name: string, shape: Shape, build: Build, more: Partial<OpCaseOptions> = {}): OpCase =>
    opCase(op, { name, inputs: [normal(shape)], build: ([x]) => [build(x!)], ...more });

/** Both symbols, among them an empty batch. */
const GRIDS = {
  bindings: [
    { batch: 2, tokens: 3 },
    { batch: 1, tokens: 1 },
    { batch: 0, tokens: 2 },
  ],
};

function entrywise(op: string, build: Build, scale = 1.5): readonly OpCase[] {
  const inputs = (shape: Shape): Partial<OpCaseOptions> => ({ inputs: [normal(shape, scale)] });
  return [
    one(op)("vector", [19], build, inputs([19])),
    one(op)("scalar", [], build, inputs([])),
    one(op)("symbolic batch and tokens", [BATCH, TOKENS, 3], build, {
      ...inputs([BATCH, TOKENS, 3]),
      ...GRIDS,
    }),
    one(op)("large", [129, 257], build, { ...inputs([129, 257]), large: true }),
  ];
}

function alongAxis(op: string, build: (x: Value, axis: number) => Value): readonly OpCase[] {
  // The derivative along an axis of one entry is 0, as the difference of two terms of order 1.
  const alone = { absolute: 1e-6 };
  return [
    one(op)("last axis", [3, 7], (x) => build(x, -1)),
    one(op)("first axis", [4, 3], (x) => build(x, 0)),
    one(op)("middle axis, symbolic batch", [BATCH, 5, 2], (x) => build(x, 1), {
      bindings: BATCHES,
    }),
    one(op)("symbolic axis", [2, TOKENS], (x) => build(x, -1), {
      bindings: [{ tokens: 5 }, { tokens: 1 }],
      ...alone,
    }),
    one(op)("an axis of size 1", [3, 1], (x) => build(x, 1), alone),
    one(op)("large", [65, 1027], (x) => build(x, -1), { large: true }),
  ];
}

const norm = ([x, scale, bias]: readonly Value[]): readonly Value[] => {
  const { output, mean, invStd } = ops.layerNorm(x!, scale!, bias!);
  return [output, mean, invStd];
};

function layerNormCase(name: string, shape: Shape, more: Partial<OpCaseOptions> = {}): OpCase {
  const width = shape.at(-1)!;
  return opCase("layerNorm", {
    name,
    inputs: [normal(shape, 2), uniform([width], 0.5, 1.5), normal([width])],
    build: norm,
    ...more,
  });
}

const layerNormCases: readonly OpCase[] = [
  layerNormCase("a vector", [7]),
  layerNormCase("rows", [3, 5]),
  layerNormCase("tokens of a symbolic batch", [BATCH, TOKENS, 6], GRIDS),
  layerNormCase("the output alone", [2, 9], { build: (inputs) => norm(inputs).slice(0, 1) }),
  layerNormCase("the statistics alone", [2, 9], {
    build: (inputs) => norm(inputs).slice(1),
    differentiable: [0],
  }),
  layerNormCase("another epsilon", [2, 4], {
    build: ([x, scale, bias]) => [ops.layerNorm(x!, scale!, bias!, { epsilon: 0.5 }).output],
  }),
  layerNormCase("large", [97, 769], { large: true }),
];

const normBatch = ([x, scale, bias]: readonly Value[]): readonly Value[] => {
  const { output, mean, variance } = ops.batchNorm(x!, scale!, bias!);
  return [output, mean, variance];
};

function batchNormCase(name: string, shape: Shape, more: Partial<OpCaseOptions> = {}): OpCase {
  const channels = shape[1]!;
  return opCase("batchNorm", {
    name,
    inputs: [normal(shape, 2), uniform([channels], 0.5, 1.5), normal([channels])],
    build: normBatch,
    ...more,
  });
}

/** Statistics of one value a channel have no spread; of none they do not exist. */
const FILLED = { bindings: [{ batch: 4 }, { batch: 2 }] };

const batchNormCases: readonly OpCase[] = [
  batchNormCase("pictures", [2, 3, 4, 5]),
  batchNormCase("pictures of a symbolic batch", [BATCH, 3, 3, 2], FILLED),
  batchNormCase("vectors", [6, 3]),
  batchNormCase("the output alone", [3, 2, 2, 2], {
    build: (inputs) => normBatch(inputs).slice(0, 1),
  }),
  batchNormCase("the statistics alone", [3, 2, 2, 2], {
    build: (inputs) => normBatch(inputs).slice(1),
    differentiable: [0],
  }),
  batchNormCase("large", [8, 17, 15, 13], { large: true }),
];

const pooled =
  (size: number | readonly [number, number]): Build =>
  (x) =>
    ops.avgPool2d(x, size);

function counted(
  name: string,
  shape: Shape,
  options: ops.ReductionOptions,
  more: Partial<OpCaseOptions> = {},
): OpCase {
  const build = ([mask]: readonly Value[]): readonly Value[] => [ops.countTrue(mask!, options)];
  return opCase("countTrue", { name, inputs: [flags(shape)], build, ...more });
}

export const compositeCases = {
  mean: [
    one("mean")("all axes", [3, 4], (x) => ops.mean(x)),
    one("mean")("axes apart, kept", [2, 3, 4, 5], (x) =>
      ops.mean(x, { axes: [-1, 1], keepDims: true }),
    ),
    one("mean")("over a symbolic batch", [BATCH, 3], (x) => ops.mean(x, { axes: [0] }), {
      bindings: BATCHES.slice(0, 2),
    }),
    one("mean")("beside a symbolic batch", [BATCH, 3], (x) => ops.mean(x, { axes: [1] }), {
      bindings: BATCHES,
    }),
    one("mean")("over symbolic tokens", [BATCH, TOKENS, 2], (x) => ops.mean(x, { axes: [0, 1] }), {
      bindings: GRIDS.bindings.slice(0, 2),
    }),
    one("mean")("large", [33, 4099], (x) => ops.mean(x, { axes: [1] }), { large: true }),
  ],
  countTrue: [
    counted("all axes", [3, 4], {}),
    counted("last axis", [3, 7], { axes: [-1] }),
    counted("first axis, kept", [70, 3], { axes: [0], keepDims: true }),
    counted("last axes of more, kept", [2, 3, 4, 5], { axes: [2, 3], keepDims: true }),
    counted("first axes of more", [5, 4, 3], { axes: [0, 1] }),
    counted("axes apart", [2, 3, 4, 5], { axes: [1, 3] }),
    counted("no axes", [4], { axes: [] }),
    counted("beside a symbolic batch", [BATCH, 3], { axes: [1] }, { bindings: BATCHES }),
    counted("over a symbolic batch", [BATCH, 3], { axes: [0] }, { bindings: BATCHES }),
    counted("rows, large", [129, 2051], { axes: [1] }, { large: true }),
    counted("columns, large", [2051, 129], { axes: [0] }, { large: true }),
    counted(
      "all of many, large",
      [70_000],
      {},
      {
        inputs: [given([70_000], new Array<number>(70_000).fill(1), "bool")],
        expected: [[70_000]],
        large: true,
      },
    ),
  ],
  softmax: alongAxis("softmax", ops.softmax),
  logSoftmax: alongAxis("logSoftmax", ops.logSoftmax),
  logSumExp: [
    ...alongAxis("logSumExp", (x, axis) => ops.logSumExp(x, { axis })),
    one("logSumExp")("kept", [3, 4], (x) => ops.logSumExp(x, { axis: 0, keepDims: true })),
  ],
  relu: entrywise("relu", ops.relu),
  gelu: entrywise("gelu", ops.gelu),
  geluTanh: entrywise("geluTanh", ops.geluTanh),
  quickGelu: entrywise("quickGelu", ops.quickGelu),
  softplus: entrywise("softplus", ops.softplus),
  clamp: entrywise("clamp", (x) => ops.clamp(x, -1, 0.75)),
  layerNorm: layerNormCases,
  batchNorm: batchNormCases,
  l2Normalize: alongAxis("l2Normalize", (x, axis) => ops.l2Normalize(x, { axis })),
  avgPool2d: [
    one("avgPool2d")("squares", [2, 3, 4, 6], pooled(2)),
    one("avgPool2d")("pixels left over", [BATCH, 2, 7, 5], pooled([3, 2]), { bindings: BATCHES }),
    one("avgPool2d")("the whole picture", [2, 3, 3, 4], pooled([3, 4])),
    one("avgPool2d")("single pixels", [1, 2, 3, 3], pooled(1)),
    one("avgPool2d")("large", [3, 17, 28, 28], pooled(4), { large: true }),
  ],
} as const;
