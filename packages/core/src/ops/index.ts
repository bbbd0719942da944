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
