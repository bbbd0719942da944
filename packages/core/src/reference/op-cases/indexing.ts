/** Cases of indexing. */
import type { Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import {
  BATCH,
  BATCHES,
  flags,
  given,
  integers,
  normal,
  opCase,
  type CaseInput,
  type OpCase,
  type OpCaseOptions,
} from "./op-case.js";

type Options = Partial<OpCaseOptions>;

const take = (
  name: string,
  inputs: readonly CaseInput[],
  axis: number,
  more: Options = {},
): OpCase =>
  opCase("take", {
    name,
    inputs,
    build: ([x, indices]) => [ops.take(x!, indices!, axis)],
    ...more,
  });

const along = (
  name: string,
  inputs: readonly CaseInput[],
  axis: number,
  more: Options = {},
): OpCase =>
  opCase("takeAlong", {
    name,
    inputs,
    build: ([x, indices]) => [ops.takeAlong(x!, indices!, axis)],
    ...more,
  });

const scatter = (
  name: string,
  inputs: readonly CaseInput[],
  axis: number,
  more: Options = {},
): OpCase =>
  opCase("scatterAdd", {
    name,
    inputs,
    build: ([x, indices, updates]: readonly Value[]) => [
      ops.scatterAdd(x!, indices!, updates!, axis),
    ],
    ...more,
  });

const indices = (shape: readonly number[], values: readonly number[]): CaseInput =>
  given(shape, values, "int32");

export const indexingCases = {
  take: [
    take("rows, repeated", [normal([4, 3]), indices([5], [3, 0, 0, 2, 3])], 0),
    take("a matrix of indices", [normal([6, 2]), integers([BATCH, 3], 6)], 0, {
      bindings: BATCHES,
    }),
    take("last axis, counted from the end", [normal([2, 5]), integers([3], 5)], -1),
    take("one index removes the axis", [normal([2, 5, 3]), indices([], [4])], 1),
    take("rows of a symbolic batch", [normal([BATCH, 2]), indices([2], [0, 0])], 0, {
      bindings: BATCHES.slice(0, 2),
    }),
    take("no indices", [normal([4, 3]), indices([0], [])], 0),
    take("int32", [integers([4, 2], 9), integers([3], 4)], 0),
    take("bool", [flags([4, 2]), integers([3], 4)], 0),
    take("a large table", [normal([1000, 64]), integers([33, 16], 1000)], 0, { large: true }),
  ],
  takeAlong: [
    along("last axis", [normal([3, 5]), integers([3, 2], 5)], -1),
    along("first axis, repeated", [normal([4, 2]), indices([3, 2], [0, 3, 0, 0, 1, 3])], 0),
    along("beside a symbolic batch", [normal([BATCH, 4, 2]), integers([BATCH, 3, 2], 4)], 1, {
      bindings: BATCHES,
    }),
    along("more indices than entries", [normal([2, 2]), integers([2, 5], 2)], 1),
    along("int32", [integers([3, 4], 9), integers([3, 1], 4)], 1),
  ],
  scatterAdd: [
    scatter(
      "repeated indices add up",
      [normal([4]), indices([6], [1, 1, 3, 1, 0, 3]), normal([6])],
      0,
    ),
    scatter("first axis", [normal([3, 2]), integers([5, 2], 3), normal([5, 2])], 0),
    scatter("last axis, fewer updates", [normal([3, 5]), integers([3, 2], 5), normal([3, 2])], -1),
    scatter(
      "beside a symbolic batch",
      [normal([BATCH, 4]), integers([BATCH, 6], 4), normal([BATCH, 6])],
      1,
      { bindings: BATCHES },
    ),
    scatter("no updates", [normal([3]), indices([0], []), normal([0])], 0),
    scatter("int32", [integers([3], 9), indices([4], [0, 2, 2, 2]), integers([4], 9, -9)], 0),
    scatter("large", [normal([500, 32]), integers([777, 32], 500), normal([777, 32])], 0, {
      large: true,
    }),
  ],
} as const;
