/** Softmax, its logarithm, and the logarithm of a sum of exponentials; the maximum is subtracted first and has no derivative. */
import { buildValue } from "../../graph/builder.js";
import { dtypeOf, rankOf, type Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import { resolveAxis } from "../../tensor/shape.js";
import type { CompositeAttrs } from "../composite-table.js";
import { add, div, exp, log, max, mul, stopGradient, sub } from "../primitives/elementwise.js";
import { reshape } from "../primitives/layout.js";
import { reduceMax, reducedShape, sum } from "../primitives/reduction.js";
import { shapeOf } from "../../graph/node.js";
import { checkAxis, floatType, inferAlongAxis, onlyOperand, operandAt } from "./operand-types.js";

/** Largest magnitude of each float dtype. */
const LARGEST = { float32: 3.4028234663852886e38, bfloat16: 3.3895313892515355e38, float16: 65504 };

function largestOf(x: Value): number {
  const dtype = dtypeOf(x);
  return dtype === "bool" || dtype === "int32" ? LARGEST.float32 : LARGEST[dtype];
}

function shifted(x: Value, axis: number): Value {
  return sub(x, stopGradient(reduceMax(x, { axes: [axis], keepDims: true })));
}

export const softmaxDef: CompositeDef<CompositeAttrs["softmax"]> = {
  kind: "composite",
  name: "softmax",
  infer: inferAlongAxis("softmax"),
  decompose: (inputs, { axis }) => {
    const powers = exp(shifted(onlyOperand("softmax", inputs), axis));
    return [div(powers, sum(powers, { axes: [axis], keepDims: true }))];
  },
  gradient: ({ attrs: { axis }, outputs, cotangents: [dy] }) => {
    const y = operandAt("softmax", outputs, 0);
    return [dy && mul(y, sub(dy, sum(mul(dy, y), { axes: [axis], keepDims: true })))];
  },
};

export const logSoftmaxDef: CompositeDef<CompositeAttrs["logSoftmax"]> = {
  kind: "composite",
  name: "logSoftmax",
  infer: inferAlongAxis("logSoftmax"),
  decompose: (inputs, { axis }) => {
    const x = shifted(onlyOperand("logSoftmax", inputs), axis);
    return [sub(x, log(sum(exp(x), { axes: [axis], keepDims: true })))];
  },
  gradient: ({ attrs: { axis }, outputs, cotangents: [dy] }) => {
    const y = operandAt("logSoftmax", outputs, 0);
    return [dy && sub(dy, mul(exp(y), sum(dy, { axes: [axis], keepDims: true })))];
  },
};

export const logSumExpDef: CompositeDef<CompositeAttrs["logSumExp"]> = {
  kind: "composite",
  name: "logSumExp",
  infer: (types, { axis, keepDims }) => {
    const x = floatType("logSumExp", types);
    checkAxis("logSumExp", x.shape, axis);
    return [{ shape: reducedShape(x.shape, [axis], keepDims), dtype: x.dtype }];
  },
  decompose: (inputs, { axis, keepDims }) => {
    const x = onlyOperand("logSumExp", inputs);
    const top = reduceMax(x, { axes: [axis], keepDims: true });
    // −∞ − −∞ would be NaN: a row of −∞ is shifted by a finite number and gives log 0 = −∞.
    const finite = stopGradient(max(top, -largestOf(x)));
    const total = sum(exp(sub(x, finite)), { axes: [axis], keepDims: true });
    return [reshape(add(log(total), finite), reducedShape(shapeOf(x), [axis], keepDims))];
  },
};

/** exp(x) / Σ exp(x) along `axis`, of x's shape. NaN for a row of −∞, as PyTorch. @throws DtypeError unless x is float. */
export function softmax(x: Value, axis = -1): Value {
  return buildValue(softmaxDef, [x], { axis: resolveAxis(axis, rankOf(x), "core/softmax") });
}

/** x − log Σ exp(x) along `axis`, of x's shape; exact where softmax would round to 0. @throws DtypeError unless x is float. */
export function logSoftmax(x: Value, axis = -1): Value {
  return buildValue(logSoftmaxDef, [x], { axis: resolveAxis(axis, rankOf(x), "core/logSoftmax") });
}

export interface LogSumExpOptions {
  readonly axis?: number;
  /** Whether the axis stays, of size 1. */
  readonly keepDims?: boolean;
}

/** log Σ exp(x) along `axis` (the last by default). −∞ for a row of −∞ (whose gradient is NaN). @throws DtypeError unless x is float. */
export function logSumExp(x: Value, { axis = -1, keepDims = false }: LogSumExpOptions = {}): Value {
  const at = resolveAxis(axis, rankOf(x), "core/logSumExp");
  return buildValue(logSumExpDef, [x], { axis: at, keepDims });
}
