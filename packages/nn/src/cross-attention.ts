/** Multi-head attention of one sequence over another, with PyTorch's parameters. */
import {
  attention,
  checkShapes,
  zeros,
  type BuildContext,
  type Initializer,
  type Value,
} from "@diptych/core";
import { declareAttentionInputs } from "./attention-inputs.js";
import { headSize, joinHeads, splitHeads } from "./heads.js";
import { inScope } from "./in-scope.js";
import { buildLinear, lastSize } from "./linear.js";

export interface CrossAttentionOptions {
  /** Divides the width. */
  readonly heads: number;
  /** Xavier-uniform by default, as PyTorch. */
  readonly inputInit?: Initializer;
  /** U(±1/√width) by default, as PyTorch. */
  readonly outputInit?: Initializer;
}

/**
 * softmax(q·kᵀ/√headDim)·v per head, then one linear layer; queries come from x, keys and values from the memory
 * (arXiv:1706.03762 §3.2.3). Names: `in_proj_weight` or `{q,k,v}_proj_weight`, `in_proj_bias`, `out_proj.*`.
 *
 * @param x [batch, queries, width]; `memory` [batch, keys, memoryWidth].
 * @returns [batch, queries, width]
 * @throws ShapeError where `heads` does not divide the width.
 */
export function buildCrossAttention(
  context: BuildContext,
  { x, memory }: { readonly x: Value; readonly memory: Value },
  { heads, inputInit, outputInit }: CrossAttentionOptions,
): Value {
  const what = "nn/buildCrossAttention";
  checkShapes(
    what,
    [x, "x", ["batch", "queries", "width"]],
    [memory, "memory", ["batch", "keys", "memoryWidth"]],
  );
  const width = lastSize(x, what);
  const headDim = headSize(width, heads, what);
  const project = declareAttentionInputs(context, {
    width,
    memoryWidth: lastSize(memory, what),
    ...(inputInit ? { init: inputInit } : {}),
  });
  const { output } = attention(
    splitHeads(project(x, 0), heads),
    splitHeads(project(memory, 1), heads),
    splitHeads(project(memory, 2), heads),
    { scale: headDim ** -0.5 },
  );
  return buildLinear(inScope(context, "out_proj"), joinHeads(output), {
    outFeatures: width,
    biasInit: zeros,
    ...(outputInit ? { weightInit: outputInit } : {}),
  });
}
