/** Every op builder: primitives and composites. */
export * from "./primitives/leaves.js";
export {
  abs,
  add,
  after,
  and,
  cast,
  div,
  equal,
  erf,
  exp,
  greater,
  greaterEqual,
  isDifferentiable,
  less,
  lessEqual,
  log,
  log1p,
  max,
  mul,
  neg,
  not,
  or,
  select,
  sigmoid,
  sqrt,
  stopGradient,
  sub,
  tanh,
  type Operand,
} from "./primitives/elementwise.js";
export { argmax, reduceMax, sum, type ReductionOptions } from "./primitives/reduction.js";
export {
  broadcast,
  concat,
  pad,
  reshape,
  slice,
  sliceAxis,
  transpose,
} from "./primitives/layout.js";
export { scatterAdd, take, takeAlong } from "./primitives/indexing.js";
export {
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  matmul,
  type ConvOptions,
  type MatmulOptions,
} from "./primitives/contraction.js";
export { attention, type AttentionOptions, type AttentionOutput } from "./composites/attention.js";
export { avgPool2d } from "./composites/avg-pool-2d.js";
export { batchNorm, type BatchNormOutput } from "./composites/batch-norm.js";
export { clamp } from "./composites/clamp.js";
export { countTrue } from "./composites/count-true.js";
export { gelu, geluTanh, quickGelu } from "./composites/gelu.js";
export { l2Normalize, type L2NormalizeOptions } from "./composites/l2-normalize.js";
export { layerNorm, type LayerNormOutput, type NormOptions } from "./composites/layer-norm.js";
export { mean } from "./composites/mean.js";
export { relu } from "./composites/relu.js";
export { logSoftmax, logSumExp, softmax, type LogSumExpOptions } from "./composites/softmax.js";
export { softplus } from "./composites/softplus.js";
