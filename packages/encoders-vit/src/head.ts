/** From the last block's tokens to one vector a picture in the joint space: pooling, the last norm, the projection. */
import {
  checkShapes,
  matmul,
  normal,
  sliceAxis,
  subDims,
  type BuildContext,
  type Value,
} from "@diptych/core";
import { applyLayerNorm, buildAttentionalPooler, declareLayerNorm, inScope } from "@diptych/nn";
import type { AttentionPoolSettings, VitSettings } from "./config.js";
import { poolTokens } from "./pooling.js";

export interface HeadOptions extends VitSettings {
  readonly embedDim: number;
  readonly modality: string;
}

export interface HeadOutput {
  /** [batch, embedDim] */
  readonly pooled: Value;
  readonly tokens: Value;
  readonly intermediates: Readonly<Record<string, Value>>;
}

/** ln_post and proj around the class token or the mean of the patches: tokens [batch, patches+1, width]. */
export function poolAndProject(
  context: BuildContext,
  output: Value,
  { width, pooling, normAfterPool, normEpsilon, embedDim, modality }: HeadOptions,
): HeadOutput {
  const how = pooling === "avg" ? "avg" : "tok";
  const norm = declareLayerNorm(inScope(context, "ln_post"), width, normEpsilon);
  // Norms work row by row: for the class token alone the order of norm and pooling makes no difference but work.
  const poolFirst = normAfterPool || how === "tok";
  const normed = applyLayerNorm(output, norm);
  const summary = poolFirst
    ? applyLayerNorm(poolTokens(output, how), norm)
    : poolTokens(normed, how);
  const projection = declareProjection(context, width, { width, embedDim });
  const patches = withoutClassToken(normed);
  return {
    pooled: matmul(summary, projection),
    tokens: normAfterPool ? output : normed,
    intermediates: {
      [`${modality}/patches`]: patches,
      [`${modality}/patches/joint`]: matmul(patches, projection),
    },
  };
}

/** attn_pool, ln_post of its answers, and proj (open_clip's CoCa towers): tokens [batch, queries, embedDim]. */
export function poolByAttention(
  context: BuildContext,
  output: Value,
  options: HeadOptions & { readonly attentionPool: AttentionPoolSettings },
): HeadOutput {
  const { width, embedDim, modality, normEpsilon } = options;
  const { queries, heads, take } = options.attentionPool;
  const pool = buildAttentionalPooler(inScope(context, "attn_pool"), output, {
    queries,
    heads,
    width: embedDim,
    normEpsilon,
  });
  const norm = declareLayerNorm(inScope(context, "ln_post"), embedDim, normEpsilon);
  const tokens = applyLayerNorm(pool.output, norm);
  const summary = take === "tok" ? applyLayerNorm(pool.first, norm) : poolTokens(tokens, "avg");
  return {
    pooled: matmul(summary, declareProjection(context, embedDim, { width, embedDim })),
    tokens,
    intermediates: {
      [`${modality}/patches`]: withoutClassToken(output),
      [`${modality}/attn_pool/attention`]: pool.probabilities,
    },
  };
}

/** `proj` [rows, embedDim]; N(0, width^-1/2) also where its rows are not of the tower's width (open_clip). */
function declareProjection(
  { scope }: BuildContext,
  rows: number,
  { width, embedDim }: { readonly width: number; readonly embedDim: number },
): Value {
  return scope.parameter("proj", [rows, embedDim], { initializer: normal(width ** -0.5) });
}

/** [batch, patches+1, width] → [batch, patches, width] */
function withoutClassToken(x: Value): Value {
  const { tokens } = checkShapes("encoders-vit/withoutClassToken", [
    x,
    "x",
    ["batch", "tokens", "width"],
  ]);
  return sliceAxis(x, 1, 1, subDims(tokens, 1));
}
