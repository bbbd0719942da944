/** Cases of leaves: values that come from outside, from the graph itself, or from a dim. */
import { dtypeOf, type Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import { addDims, mulDims } from "../../tensor/dim.js";
import { hostTensorFrom } from "../../tensor/host-tensor.js";
import {
  BATCH,
  BATCHES,
  flags,
  integers,
  normal,
  opCase,
  TOKENS,
  type CaseInput,
} from "./op-case.js";

const asParameter = (input: CaseInput): CaseInput => ({ ...input, leaf: "parameter" });
const itself = (inputs: readonly Value[]): readonly Value[] => inputs;

/** A constant of x's dtype. */
const beside = (x: Value, shape: readonly number[], values: readonly number[]): Value =>
  ops.constant(hostTensorFrom(dtypeOf(x), shape, values));

export const leafCases = {
  input: [
    opCase("input", {
      name: "is an output as it is",
      inputs: [normal([BATCH, 2])],
      build: itself,
      bindings: BATCHES,
    }),
    opCase("input", {
      name: "is two outputs at once",
      inputs: [normal([3])],
      build: ([x]) => [x!, x!],
    }),
    opCase("input", {
      name: "of int32 and bool",
      inputs: [integers([3], 9), flags([2, 2])],
      build: itself,
    }),
    opCase("input", {
      name: "that nothing reads",
      inputs: [normal([2]), normal([BATCH])],
      build: ([x]) => [ops.mul(x!, 2)],
      bindings: BATCHES,
    }),
  ],
  parameter: [
    opCase("parameter", {
      name: "is read like an input",
      inputs: [asParameter(normal([4, 3])), normal([BATCH, 3])],
      build: ([weight, x]) => [ops.matmul(x!, weight!, { transposeB: true })],
      bindings: BATCHES,
    }),
  ],
  constant: [
    opCase("constant", {
      name: "joins what is fed",
      inputs: [normal([BATCH, 3])],
      build: ([x]) => [ops.add(x!, beside(x!, [3], [1.5, -2, 0.25]))],
      bindings: BATCHES,
    }),
    opCase("constant", {
      name: "is an output as it is",
      inputs: [normal([1])],
      build: ([x]) => [
        beside(x!, [2, 2], [1, 2, 3, 4]),
        beside(x!, [], [0.5]),
        ops.constant(hostTensorFrom("int32", [3], [-1, 0, 2 ** 31 - 1])),
        ops.constant(hostTensorFrom("bool", [2], [1, 0])),
      ],
      expected: [[1, 2, 3, 4], [0.5], [-1, 0, 2 ** 31 - 1], [1, 0]],
    }),
    opCase("constant", {
      name: "may be empty",
      inputs: [normal([2, 3])],
      build: ([x]) => [ops.concat([x!, beside(x!, [0, 3], [])], 0)],
    }),
  ],
  iota: [
    opCase("iota", {
      name: "counts a symbolic batch",
      inputs: [normal([BATCH])],
      build: ([x]) => [ops.iota(BATCH), ops.mul(x!, ops.cast(ops.iota(BATCH), dtypeOf(x!)))],
      bindings: BATCHES,
    }),
    opCase("iota", {
      name: "of numbers",
      inputs: [normal([1])],
      build: () => [ops.iota(4), ops.iota(0)],
      expected: [[0, 1, 2, 3], []],
    }),
  ],
  dimSize: [
    opCase("dimSize", {
      name: "of polynomials",
      inputs: [normal([BATCH, TOKENS])],
      build: () => [
        ops.dimSize(BATCH),
        ops.dimSize(mulDims(BATCH, TOKENS)),
        ops.dimSize(addDims(mulDims(2, TOKENS), 1)),
        ops.dimSize(7),
      ],
      bindings: [
        { batch: 3, tokens: 2 },
        { batch: 1, tokens: 5 },
        { batch: 0, tokens: 4 },
      ],
    }),
  ],
} as const;
