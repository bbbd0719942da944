/** Cases of matrix products and of the three faces of a convolution. */
import * as ops from "../../ops/index.js";
import type { ConvAttrs } from "../../ops/primitive-table.js";
import {
  convAttrs,
  convShape,
  type ConvOptions,
  type MatmulOptions,
} from "../../ops/primitives/contraction.js";
import type { Shape } from "../../tensor/shape.js";
import { BATCH, BATCHES, normal, opCase, type OpCase, type OpCaseOptions } from "./op-case.js";

function product(
  name: string,
  shapes: readonly [Shape, Shape],
  options: MatmulOptions = {},
  more: Partial<OpCaseOptions> = {},
): OpCase {
  return opCase("matmul", {
    name,
    inputs: shapes.map((shape) => normal(shape)),
    build: ([a, b]) => [ops.matmul(a!, b!, options)],
    ...more,
  });
}

const BOTH = { transposeA: true, transposeB: true };

const matmulCases: readonly OpCase[] = [
  product("matrices", [
    [3, 4],
    [4, 5],
  ]),
  product(
    "transposed left",
    [
      [4, 3],
      [4, 5],
    ],
    { transposeA: true },
  ),
  product(
    "transposed right",
    [
      [3, 4],
      [5, 4],
    ],
    { transposeB: true },
  ),
  product(
    "transposed both",
    [
      [4, 3],
      [5, 4],
    ],
    BOTH,
  ),
  product("sizes of 1", [
    [1, 1],
    [1, 1],
  ]),
  product("row by column", [
    [1, 7],
    [7, 1],
  ]),
  product("column by row", [
    [7, 1],
    [1, 3],
  ]),
  product("empty inner axis", [
    [2, 0],
    [0, 3],
  ]),
  product("batches", [
    [2, 3, 4, 5],
    [2, 3, 5, 6],
  ]),
  product("batches stretch on both sides", [
    [2, 1, 3, 4],
    [5, 4, 2],
  ]),
  product(
    "batches with both transposed",
    [
      [BATCH, 4, 3],
      [BATCH, 2, 4],
    ],
    BOTH,
    { bindings: BATCHES },
  ),
  product(
    "one matrix for a batch",
    [
      [BATCH, 3, 4],
      [4, 2],
    ],
    {},
    { bindings: BATCHES },
  ),
  product(
    "one transposed matrix for a batch of transposed",
    [
      [BATCH, 4, 3],
      [2, 4],
    ],
    BOTH,
    { bindings: BATCHES },
  ),
  product(
    "a matrix on the left of a batch",
    [
      [3, 4],
      [BATCH, 4, 2],
    ],
    {},
    { bindings: BATCHES },
  ),
  product(
    "all against all of a batch",
    [
      [BATCH, 4],
      [BATCH, 4],
    ],
    { transposeB: true },
    { bindings: BATCHES },
  ),
  product(
    "a symbolic inner axis",
    [
      [BATCH, 3],
      [BATCH, 2],
    ],
    { transposeA: true },
    { bindings: BATCHES },
  ),
  product(
    "large",
    [
      [129, 259],
      [259, 131],
    ],
    {},
    { large: true },
  ),
  product(
    "large batches",
    [
      [6, 65, 33],
      [6, 65, 33],
    ],
    { transposeB: true },
    { large: true },
  ),
];

interface ConvCase {
  readonly name: string;
  readonly x: Shape;
  readonly filter: Shape;
  readonly options?: ConvOptions;
  readonly more?: Partial<OpCaseOptions>;
}

const CONVOLUTIONS: readonly ConvCase[] = [
  { name: "plain", x: [2, 3, 5, 6], filter: [4, 3, 3, 2] },
  { name: "1 × 1", x: [2, 3, 4, 4], filter: [5, 3, 1, 1] },
  { name: "patches", x: [2, 3, 8, 8], filter: [5, 3, 4, 4], options: { strides: [4, 4] } },
  { name: "the whole picture", x: [2, 2, 3, 4], filter: [3, 2, 3, 4] },
  {
    name: "padding as ResNet",
    x: [1, 2, 7, 7],
    filter: [3, 2, 3, 3],
    options: { strides: [2, 2], padding: [1, 1, 1, 1] },
  },
  {
    name: "asymmetric padding and strides, pixels left over",
    x: [2, 2, 8, 7],
    filter: [3, 2, 3, 2],
    options: { strides: [3, 2], padding: [0, 1, 2, 0] },
  },
  {
    name: "stride beyond the kernel",
    x: [1, 2, 7, 8],
    filter: [2, 2, 2, 1],
    options: { strides: [3, 3] },
  },
  {
    name: "padding beyond the kernel's reach",
    x: [1, 1, 2, 2],
    filter: [1, 1, 2, 2],
    options: { padding: [2, 2, 2, 2] },
  },
  {
    name: "groups",
    x: [2, 4, 5, 5],
    filter: [6, 2, 3, 3],
    options: { groups: 2, padding: [1, 1, 1, 1] },
  },
  {
    name: "depthwise",
    x: [2, 3, 5, 4],
    filter: [3, 1, 3, 3],
    options: { groups: 3, padding: [1, 1, 1, 1] },
  },
  {
    name: "depthwise, strided, two filters a channel",
    x: [1, 3, 6, 5],
    filter: [6, 1, 2, 3],
    options: { groups: 3, strides: [2, 1] },
  },
  {
    name: "symbolic batch",
    x: [BATCH, 2, 5, 5],
    filter: [3, 2, 3, 3],
    options: { strides: [2, 2], padding: [1, 1, 1, 1] },
    more: { bindings: BATCHES },
  },
  {
    name: "large",
    x: [2, 16, 33, 31],
    filter: [24, 16, 3, 3],
    options: { padding: [1, 1, 1, 1] },
    more: { large: true },
  },
];

/** Shapes and attributes of a case, with the shape of conv2d's output. */
interface Sized extends ConvCase {
  readonly attrs: ConvAttrs;
  readonly y: Shape;
}

const forEach = (
  op: string,
  make: (sized: Sized) => Pick<OpCaseOptions, "inputs" | "build">,
): readonly OpCase[] =>
  CONVOLUTIONS.map((sized) => {
    const attrs = convAttrs(sized.options);
    const y = convShape(sized.x, sized.filter, attrs);
    return opCase(op, { name: sized.name, ...make({ ...sized, attrs, y }), ...sized.more });
  });

export const contractionCases = {
  matmul: matmulCases,
  conv2d: forEach("conv2d", ({ x, filter, options }) => ({
    inputs: [normal(x), normal(filter)],
    build: ([picture, weights]) => [ops.conv2d(picture!, weights!, options)],
  })),
  conv2dInputGradient: forEach("conv2dInputGradient", ({ x, filter, y, attrs }) => ({
    inputs: [normal(y), normal(filter)],
    build: ([dy, weights]) => [ops.conv2dInputGradient(dy!, weights!, x, attrs)],
  })),
  conv2dFilterGradient: forEach("conv2dFilterGradient", ({ x, filter, y, attrs }) => ({
    inputs: [normal(x), normal(y)],
    build: ([picture, dy]) => [ops.conv2dFilterGradient(picture!, dy!, filter, attrs)],
  })),
} as const;
