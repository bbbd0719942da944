/** Cases of attention: masks of every shape, causal or not, other lengths and widths for keys and values. */
import type { Value } from "../../graph/node.js";
import * as ops from "../../ops/index.js";
import type { AttentionOptions } from "../../ops/composites/attention.js";
import type { Dim } from "../../tensor/dim.js";
import type { Shape } from "../../tensor/shape.js";
import {
  BATCH,
  BATCHES,
  given,
  normal,
  opCase,
  TOKENS,
  type CaseInput,
  type OpCase,
  type OpCaseOptions,
} from "./op-case.js";

interface Sizes {
  readonly batch?: Dim;
  readonly heads?: number;
  readonly queries?: Dim;
  readonly keys?: Dim;
  readonly headDim?: number;
  readonly valueDim?: number;
}

interface AttentionCase extends Partial<OpCaseOptions>, AttentionOptionsWithoutMask {
  readonly sizes?: Sizes;
  readonly masked?: CaseInput;
}

type AttentionOptionsWithoutMask = Omit<AttentionOptions, "mask">;

function operands({
  batch = 2,
  heads = 2,
  queries = 3,
  keys = 3,
  headDim = 4,
  valueDim = headDim,
}: Sizes): readonly CaseInput[] {
  const shapes: readonly Shape[] = [
    [batch, heads, queries, headDim],
    [batch, heads, keys, headDim],
    [batch, heads, keys, valueDim],
  ];
  return shapes.map((shape) => normal(shape));
}

function attentionCase(
  name: string,
  { sizes = {}, masked, causal, scale, ...more }: AttentionCase = {},
): OpCase {
  const options = {
    ...(causal === undefined ? {} : { causal }),
    ...(scale === undefined ? {} : { scale }),
  };
  return opCase("attention", {
    // The derivative by a score is the difference of two terms of order 1.
    absolute: 1e-6,
    name,
    inputs: [...operands(sizes), ...(masked ? [masked] : [])],
    build: ([query, key, value, mask]: readonly Value[]) => {
      const { output, logSumExp } = ops.attention(query!, key!, value!, {
        ...options,
        ...(mask ? { mask } : {}),
      });
      return [output, logSumExp];
    },
    ...more,
  });
}

/** The output alone: where a row sees no key, the log-sum-exp of about −2¹²⁶ would hide every other entry. */
function outputOnly(causal: boolean) {
  return ([query, key, value, mask]: readonly Value[]): readonly Value[] => [
    ops.attention(query!, key!, value!, { causal, mask: mask! }).output,
  ];
}

const mask = (shape: Shape, values: readonly number[]): CaseInput => given(shape, values, "bool");

export const attentionCases: readonly OpCase[] = [
  attentionCase("plain"),
  attentionCase("other lengths and widths", { sizes: { queries: 2, keys: 5, valueDim: 3 } }),
  attentionCase("one query, as in pooling", { sizes: { queries: 1, keys: 4 } }),
  attentionCase("one key", { sizes: { keys: 1 } }),
  attentionCase("causal", { causal: true }),
  attentionCase("causal with more keys than queries", {
    causal: true,
    sizes: { queries: 2, keys: 4 },
  }),
  attentionCase("another scale", { scale: 0.3 }),
  attentionCase("symbolic batch", { sizes: { batch: BATCH }, bindings: BATCHES }),
  attentionCase("symbolic batch and tokens, causal", {
    sizes: { batch: BATCH, queries: TOKENS, keys: TOKENS },
    causal: true,
    bindings: [
      { batch: 2, tokens: 4 },
      { batch: 1, tokens: 1 },
      { batch: 0, tokens: 3 },
    ],
  }),
  attentionCase("a mask for each key of each sample", {
    masked: mask([2, 1, 1, 3], [1, 1, 0, 1, 0, 0]),
  }),
  attentionCase("one mask for all", { masked: mask([3, 3], [1, 0, 1, 1, 1, 1, 0, 1, 0]) }),
  attentionCase("a mask and causal", {
    causal: true,
    masked: mask([2, 1, 1, 3], [1, 1, 0, 1, 0, 1]),
  }),
  attentionCase("a mask that hides nothing", { masked: mask([1, 1, 1, 1], [1]) }),
  attentionCase("a scalar mask", { masked: mask([], [1]) }),
  attentionCase("rows that see nothing", {
    masked: mask([2, 1, 3, 3], [1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
    build: outputOnly(false),
  }),
  attentionCase("rows that a mask and causality leave nothing", {
    masked: mask([1, 1, 1, 3], [0, 1, 1]),
    build: outputOnly(true),
  }),
  attentionCase("nothing is seen at all", {
    masked: mask([1, 1, 1, 3], [0, 0, 0]),
    build: outputOnly(false),
    expected: [new Array<number>(48).fill(0)],
    expectedGradients: [
      new Array<number>(48).fill(0),
      new Array<number>(48).fill(0),
      new Array<number>(48).fill(0),
    ],
  }),
  attentionCase("large", {
    sizes: { batch: 3, heads: 4, queries: 65, keys: 77, headDim: 33 },
    large: true,
  }),
  attentionCase("large and causal", {
    sizes: { batch: 2, heads: 3, queries: 77, keys: 77, headDim: 64 },
    causal: true,
    large: true,
  }),
];
