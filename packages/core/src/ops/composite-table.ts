/** The composites with their attributes: ops made of primitives that a backend may have a kernel for. */

import type { ImageLayout } from "./primitives/image-axes.js";

type None = Readonly<Record<never, never>>;

/**
 * Attributes by composite. Operands and results:
 *
 * - `mean` (x) over `axes`; `countTrue` (mask bool) over `axes` → float32. `softmax`, `logSoftmax` (x) along `axis`; `logSumExp` (x) along `axis`.
 * - `relu`, `gelu` (exact, erf), `geluTanh`, `quickGelu` (x·σ(1.702x)), `softplus` (x). `clamp` (x) to [low, high].
 * - `layerNorm` (x, scale, bias) over the last axis → (y, mean, invStd), the statistics of shape [..., 1].
 * - `batchNorm` (x [N, C, ...], scale [C], bias [C]) with the batch's own statistics → (y, mean [C], variance [C] biased).
 * - `l2Normalize` (x) along `axis`: x / √max(Σx², ε²).
 * - `attention` (query, key, value [B, heads, tokens, headDim], mask? bool broadcastable to [B, heads, queries, keys],
 *   true = attend) → (y, logSumExp [B, heads, queries]); `causal` masks keys after the query; a fully masked row gives zeros.
 * - `avgPool2d` (x [N, C, H, W]) without padding, window = stride = `size`.
 */
export type CompositeAttrs = {
  readonly mean: { readonly axes: readonly number[]; readonly keepDims: boolean };
  readonly countTrue: { readonly axes: readonly number[]; readonly keepDims: boolean };
  readonly softmax: { readonly axis: number };
  readonly logSoftmax: { readonly axis: number };
  readonly logSumExp: { readonly axis: number; readonly keepDims: boolean };
  readonly relu: None;
  readonly gelu: None;
  readonly geluTanh: None;
  readonly quickGelu: None;
  readonly softplus: None;
  readonly clamp: { readonly low: number; readonly high: number };
  readonly layerNorm: { readonly epsilon: number };
  readonly batchNorm: ImageLayout & { readonly epsilon: number };
  readonly l2Normalize: { readonly axis: number; readonly epsilon: number };
  readonly attention: { readonly scale: number; readonly causal: boolean };
  readonly avgPool2d: ImageLayout & { readonly size: readonly [number, number] };
};

export type CompositeName = keyof CompositeAttrs;

/** Composites that must declare their own gradient (design §4). */
export const COMPOSITES_WITH_GRADIENT = [
  "softmax",
  "logSoftmax",
  "layerNorm",
  "batchNorm",
  "gelu",
  "geluTanh",
  "quickGelu",
  "attention",
  "avgPool2d",
] as const satisfies readonly CompositeName[];
