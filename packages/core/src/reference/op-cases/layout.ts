/** Cases of primitives that move entries. */
import type { Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import { addDims, mulDims, type Dim } from "../../tensor/dim.js";
import type { Shape } from "../../tensor/shape.js";
import {
  BATCH,
  BATCHES,
  flags,
  integers,
  normal,
  opCase,
  TOKENS,
  type CaseInput,
  type OpCase,
  type OpCaseOptions,
} from "./op-case.js";

type Build = (x: Value) => Value;

const one =
  (op: string) =>
  (name: string, x: CaseInput, build: Build, more: Partial<OpCaseOptions> = {}): OpCase =>
    opCase(op, { name, inputs: [x], build: ([value]) => [build(value!)], ...more });

/** Batches and text lengths together. */
const GRIDS = {
  bindings: [
    { batch: 2, tokens: 3 },
    { batch: 1, tokens: 1 },
    { batch: 0, tokens: 4 },
  ],
};

const reshaped = one("reshape");
const to =
  (...shape: readonly Dim[]): Build =>
  (x) =>
    ops.reshape(x, shape);
const permuted = one("transpose");
const by =
  (permutation?: readonly number[]): Build =>
  (x) =>
    ops.transpose(x, permutation);
const stretched = one("broadcast");
const over =
  (...shape: readonly Dim[]): Build =>
  (x) =>
    ops.broadcast(x, shape);
const sliced = one("slice");
const window =
  (begins: readonly Dim[], shape: Shape): Build =>
  (x) =>
    ops.slice(x, begins, shape);
const padded = one("pad");
const inside =
  (begins: readonly Dim[], shape: Shape): Build =>
  (x) =>
    ops.pad(x, begins, shape);

export const layoutCases = {
  reshape: [
    reshaped("splits and joins axes", normal([4, 6]), to(2, 2, -1)),
    reshaped("to a scalar", normal([1, 1]), to()),
    reshaped("from a scalar", normal([]), to(1, 1)),
    reshaped(
      "joins symbolic axes",
      normal([BATCH, TOKENS, 4]),
      to(mulDims(BATCH, TOKENS), 4),
      GRIDS,
    ),
    reshaped("splits a symbolic product", normal([mulDims(BATCH, 6)]), to(BATCH, 2, -1), {
      bindings: BATCHES,
    }),
    reshaped("int32", integers([2, 3], 9), to(3, 2)),
    reshaped("bool", flags([2, 3]), to(6)),
  ],
  transpose: [
    permuted("last two axes", normal([3, 5]), by()),
    permuted("last two of four", normal([2, 3, 4, 5]), by()),
    permuted("heads and tokens", normal([BATCH, TOKENS, 2, 3]), by([0, 2, 1, 3]), GRIDS),
    permuted("all axes, counted from the end", normal([2, 3, 4]), by([-1, 0, 1])),
    permuted("no change", normal([2, 3]), by([0, 1])),
    permuted("a vector", normal([4]), by([0])),
    permuted("int32", integers([2, 3], 9), by()),
    permuted("bool", flags([2, 3]), by()),
    permuted("large", normal([257, 513]), by(), { large: true }),
  ],
  broadcast: [
    stretched("a scalar", normal([]), over(2, 3)),
    stretched("new and stretched axes", normal([3, 1]), over(2, 3, 4)),
    opCase("broadcast", {
      name: "to a symbolic batch",
      // The second input is what shows the batch.
      inputs: [normal([1, 3]), normal([BATCH, 1])],
      build: ([x, y]) => [ops.broadcast(x!, [BATCH, 3]), ops.broadcast(y!, [BATCH, 2])],
      bindings: BATCHES,
    }),
    stretched("int32", integers([3, 1], 9), over(3, 2)),
    stretched("bool", flags([1, 3]), over(2, 3)),
  ],
  slice: [
    sliced("a window", normal([4, 5]), window([1, 2], [2, 3])),
    sliced("of size 1", normal([3, 4]), window([2, 0], [1, 4])),
    sliced("of size 0", normal([3, 4]), window([3, 0], [0, 4])),
    sliced("beside a symbolic batch", normal([BATCH, 5]), window([0, 1], [BATCH, 3]), {
      bindings: BATCHES,
    }),
    sliced(
      "at the end of symbolic tokens",
      normal([BATCH, TOKENS, 2]),
      window([0, addDims(TOKENS, -1), 0], [BATCH, 1, 2]),
      GRIDS,
    ),
    sliced(
      "all but the first token",
      normal([BATCH, TOKENS, 2]),
      window([0, 1, 0], [BATCH, addDims(TOKENS, -1), 2]),
      GRIDS,
    ),
    sliced("int32", integers([5], 9), window([1], [3])),
    sliced("bool", flags([5]), window([0], [2])),
  ],
  pad: [
    padded("on every side", normal([2, 3]), inside([1, 2], [4, 6])),
    padded("after only", normal([3]), inside([0], [5])),
    padded("nothing", normal([2, 2]), inside([0, 0], [2, 2])),
    padded("an empty tensor", normal([0, 2]), inside([1, 0], [2, 3])),
    padded(
      "symbolic tokens to a fixed length",
      normal([BATCH, TOKENS]),
      inside([0, 0], [BATCH, 7]),
      GRIDS,
    ),
    padded(
      "one more token in front",
      normal([BATCH, TOKENS]),
      inside([0, 1], [BATCH, addDims(TOKENS, 1)]),
      GRIDS,
    ),
    padded("int32", integers([2], 9, 1), inside([1], [4])),
    padded("bool with false", flags([3]), inside([1], [6])),
  ],
  concat: [
    opCase("concat", {
      name: "first axis",
      inputs: [normal([2, 3]), normal([1, 3])],
      build: (xs) => [ops.concat(xs, 0)],
    }),
    opCase("concat", {
      name: "last axis of three, one empty",
      inputs: [normal([2, 3]), normal([2, 0]), normal([2, 1])],
      build: (xs) => [ops.concat(xs, -1)],
    }),
    opCase("concat", {
      name: "symbolic sizes add up",
      inputs: [normal([BATCH, 1, 2]), normal([BATCH, TOKENS, 2])],
      build: (xs) => [ops.concat(xs, 1)],
      ...GRIDS,
    }),
    opCase("concat", {
      name: "one operand twice",
      inputs: [normal([2, 2])],
      build: ([x]) => [ops.concat([x!, x!], 1)],
    }),
    opCase("concat", {
      name: "int32",
      inputs: [integers([2], 9), integers([3], 9)],
      build: (xs) => [ops.concat(xs, 0)],
    }),
    opCase("concat", {
      name: "bool",
      inputs: [flags([2]), flags([3])],
      build: (xs) => [ops.concat(xs, 0)],
    }),
  ],
} as const;
