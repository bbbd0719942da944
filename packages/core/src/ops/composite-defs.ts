/** Name → definition of every composite; exhaustive by type. */
import type { CompositeDef } from "../graph/op-def.js";
import type { CompositeAttrs, CompositeName } from "./composite-table.js";
import { attentionDef } from "./composites/attention.js";
import { avgPool2dDef } from "./composites/avg-pool-2d.js";
import { batchNormDef } from "./composites/batch-norm.js";
import { clampDef } from "./composites/clamp.js";
import { countTrueDef } from "./composites/count-true.js";
import { geluDef, geluTanhDef, quickGeluDef } from "./composites/gelu.js";
import { l2NormalizeDef } from "./composites/l2-normalize.js";
import { layerNormDef } from "./composites/layer-norm.js";
import { meanDef } from "./composites/mean.js";
import { reluDef } from "./composites/relu.js";
import { logSoftmaxDef, logSumExpDef, softmaxDef } from "./composites/softmax.js";
import { softplusDef } from "./composites/softplus.js";

export const COMPOSITE_DEFS: {
  readonly [Name in CompositeName]: CompositeDef<CompositeAttrs[Name]>;
} = Object.freeze({
  mean: meanDef,
  countTrue: countTrueDef,
  softmax: softmaxDef,
  logSoftmax: logSoftmaxDef,
  logSumExp: logSumExpDef,
  relu: reluDef,
  gelu: geluDef,
  geluTanh: geluTanhDef,
  quickGelu: quickGeluDef,
  softplus: softplusDef,
  clamp: clampDef,
  layerNorm: layerNormDef,
  batchNorm: batchNormDef,
  l2Normalize: l2NormalizeDef,
  attention: attentionDef,
  avgPool2d: avgPool2dDef,
});

/** Every composite's name, in the order of the table. */
export const COMPOSITE_NAMES = Object.freeze(
  Object.keys(COMPOSITE_DEFS),
) as readonly CompositeName[];

export function isCompositeName(op: string): op is CompositeName {
  return Object.hasOwn(COMPOSITE_DEFS, op);
}
