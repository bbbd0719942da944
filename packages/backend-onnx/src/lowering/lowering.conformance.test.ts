// What the shared op cases do not reach: each of the several ways in which a convolution and a product are lowered.
import {
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  evaluateShape,
  input,
  matmul,
  reshape,
  shapeOf,
  sum,
  symbolDim,
  addDims,
  mulDims,
  slice,
  pad,
  subDims,
  type Backend,
} from "@diptych/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOnnxBackend } from "../onnx-backend.js";
import { expectAsReference, sample } from "./against-reference.test-support.js";

let backend: Backend;
beforeAll(async () => {
  backend = await createOnnxBackend({ threads: 2 });
});
afterAll(async () => {
  expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  await backend.dispose();
});

const [n, t] = [symbolDim("n"), symbolDim("t")];

interface Convolution {
  /** [C, H, W] */
  readonly picture: readonly [number, number, number];
  /** [O, kh, kw] */
  readonly filter: readonly [number, number, number];
  readonly strides?: readonly [number, number];
  readonly padding?: readonly [number, number, number, number];
  readonly groups?: number;
}

const convolutions: Readonly<Record<string, Convolution>> = {
  "rows and columns shifted": { picture: [9, 7, 9], filter: [6, 3, 3], padding: [1, 1, 1, 1] },
  "shifted, uneven padding": { picture: [9, 12, 11], filter: [6, 3, 5], padding: [2, 1, 0, 3] },
  "shifted, no padding": { picture: [9, 12, 11], filter: [20, 2, 3] },
  "shifted, rows only": { picture: [9, 9, 6], filter: [6, 3, 1], padding: [1, 0, 1, 0] },
  "shifted, columns only": { picture: [9, 6, 9], filter: [6, 1, 4], padding: [0, 3, 0, 3] },
  "columns shifted, with margins": {
    picture: [9, 3, 24],
    filter: [4, 1, 3],
    padding: [0, 1, 0, 1],
  },
  "rows shifted, with uneven margins": {
    picture: [9, 24, 4],
    filter: [4, 2, 1],
    padding: [1, 0, 0, 0],
  },
  "shifted, one pixel": { picture: [9, 1, 1], filter: [4, 3, 3], padding: [1, 1, 1, 1] },
  "shifted, large padding": { picture: [9, 5, 5], filter: [6, 3, 3], padding: [2, 2, 2, 2] },
  "flat shift, padding beyond the kernel": {
    picture: [9, 5, 5],
    filter: [6, 2, 2],
    padding: [2, 2, 2, 2],
  },
  "flat shift in groups": { picture: [4, 7, 9], filter: [6, 3, 2], groups: 2 },
  "depthwise, uneven padding": {
    picture: [4, 7, 9],
    filter: [4, 3, 2],
    padding: [0, 1, 2, 0],
    groups: 4,
  },
  "strided with a rest": {
    picture: [9, 8, 7],
    filter: [5, 3, 3],
    strides: [2, 2],
    padding: [1, 1, 1, 1],
  },
  "strided in groups": {
    picture: [4, 8, 8],
    filter: [8, 2, 2],
    strides: [2, 1],
    padding: [1, 0, 0, 1],
    groups: 2,
  },
  "channels first": { picture: [9, 2, 3], filter: [30, 3, 3], padding: [1, 1, 1, 1] },
  "channels first, strided": {
    picture: [9, 5, 5],
    filter: [16, 3, 3],
    strides: [2, 2],
    padding: [1, 1, 1, 1],
  },
  "few channels": { picture: [3, 8, 9], filter: [4, 3, 3], strides: [2, 2], padding: [1, 1, 1, 1] },
  pointwise: { picture: [9, 6, 6], filter: [5, 1, 1] },
  "pointwise, channels first": { picture: [9, 2, 2], filter: [16, 1, 1] },
  "pointwise, strided": { picture: [9, 6, 5], filter: [4, 1, 1], strides: [2, 1] },
  patches: { picture: [3, 8, 8], filter: [5, 4, 4], strides: [4, 4] },
  "patches with a rest": { picture: [3, 9, 11], filter: [5, 4, 3], strides: [4, 3] },
  "gaps between windows": { picture: [3, 8, 8], filter: [4, 2, 2], strides: [3, 3] },
  "more padding than the kernel reaches": {
    picture: [2, 5, 5],
    filter: [3, 2, 2],
    padding: [2, 2, 2, 2],
  },
};

describe.each([2, 0])("a convolution of %i samples and its gradients", (samples) => {
  it.each(Object.entries(convolutions))("%s", async (_, { picture, filter, ...options }) => {
    const { strides = [1, 1], padding = [0, 0, 0, 0], groups = 1 } = options;
    const attrs = { strides, padding, groups };
    const filterShape = [filter[0], picture[0] / groups, filter[1], filter[2]];
    const x = input("x", [n, ...picture]);
    const w = input("w", filterShape);
    const y = conv2d(x, w, attrs);
    const dy = input("dy", shapeOf(y));
    await expectAsReference(
      backend,
      {
        y,
        dx: conv2dInputGradient(dy, w, shapeOf(x), attrs),
        dw: conv2dFilterGradient(x, dy, filterShape, attrs),
      },
      {
        x: sample([samples, ...picture], 1),
        w: sample(filterShape, 2),
        dy: sample(evaluateShape(shapeOf(y), { n: samples }), 3),
      },
      5e-6,
    );
  });
});

it("products of large transposed matrices, whichever is the smaller", async () => {
  const [a, b] = [input("a", [1024, 512]), input("b", [1024, 520])];
  await expectAsReference(
    backend,
    { ab: matmul(a, b, { transposeA: true }), ba: matmul(b, a, { transposeA: true }) },
    { a: sample([1024, 512], 1), b: sample([1024, 520], 2) },
    1e-4,
  );
}, 120_000);

it("sums over many leading rows", async () => {
  const x = input("x", [10, 10, 7]);
  await expectAsReference(
    backend,
    {
      rows: sum(reshape(x, [100, 7]), { axes: [0] }),
      kept: sum(x, { axes: [0, 1], keepDims: true }),
    },
    { x: sample([10, 10, 7]) },
  );
});

it.each([3, 0])("windows at symbolic places (%i)", async (samples) => {
  const x = input("x", [n, t, 4]);
  await expectAsReference(
    backend,
    {
      last: slice(x, [0, subDims(t, 1), 0], [n, 1, 4]),
      padded: pad(x, [0, 1, 0], [addDims(n, 2), addDims(t, 3), 4]),
      merged: reshape(x, [mulDims(2, n), t, 2]),
    },
    { x: sample([samples, 5, 4]) },
  );
});
