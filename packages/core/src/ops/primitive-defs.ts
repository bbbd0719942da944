/** Name → definition of every primitive; exhaustive by type. */
import type { PrimitiveDef } from "../graph/op-def.js";
import type { PrimitiveAttrs, PrimitiveName } from "./primitive-table.js";
import {
  conv2dDef,
  conv2dFilterGradientDef,
  conv2dInputGradientDef,
  matmulDef,
} from "./primitives/contraction.js";
import {
  afterDef,
  binaryDefs,
  castDef,
  compareDef,
  logicDefs,
  selectDef,
  stopGradientDef,
  unaryDefs,
} from "./primitives/elementwise.js";
import { scatterAddDef, takeAlongDef, takeDef } from "./primitives/indexing.js";
import {
  broadcastDef,
  concatDef,
  padDef,
  reshapeDef,
  sliceDef,
  transposeDef,
} from "./primitives/layout.js";
import { constantDef, dimSizeDef, inputDef, iotaDef, parameterDef } from "./primitives/leaves.js";
import { argmaxDef, reduceMaxDef, sumDef } from "./primitives/reduction.js";

export const PRIMITIVE_DEFS: {
  readonly [Name in PrimitiveName]: PrimitiveDef<PrimitiveAttrs[Name]>;
} = Object.freeze({
  input: inputDef,
  parameter: parameterDef,
  constant: constantDef,
  iota: iotaDef,
  dimSize: dimSizeDef,
  ...binaryDefs,
  ...unaryDefs,
  ...logicDefs,
  compare: compareDef,
  select: selectDef,
  cast: castDef,
  stopGradient: stopGradientDef,
  after: afterDef,
  sum: sumDef,
  reduceMax: reduceMaxDef,
  argmax: argmaxDef,
  reshape: reshapeDef,
  transpose: transposeDef,
  broadcast: broadcastDef,
  slice: sliceDef,
  pad: padDef,
  concat: concatDef,
  take: takeDef,
  takeAlong: takeAlongDef,
  scatterAdd: scatterAddDef,
  matmul: matmulDef,
  conv2d: conv2dDef,
  conv2dInputGradient: conv2dInputGradientDef,
  conv2dFilterGradient: conv2dFilterGradientDef,
});
