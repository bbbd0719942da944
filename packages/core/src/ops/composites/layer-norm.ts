/** Layer norm over the last axis, with its statistics as further outputs so that the gradient need not reduce again. */
import { buildNode } from "../../graph/builder.js";
import { dtypeOf, shapeOf, type Value } from "../../graph/node.js";
import type { CompositeDef, GradientContext } from "../../graph/op-def.js";
import { createShape } from "../../tensor/shape.js";
import type { CompositeAttrs } from "../composite-table.js";
import { add, cast, div, mul, sqrt, sub } from "../primitives/elementwise.js";
import { matmul } from "../primitives/contraction.js";
import { broadcast, reshape } from "../primitives/layout.js";
import { scalar } from "../primitives/leaves.js";
import { sum } from "../primitives/reduction.js";
import { countOperand, mean } from "./mean.js";
import {
  checkAxis,
  checkEpsilon,
  checkOperandShape,
  floatTypes,
  operandAt,
} from "./operand-types.js";

const LAST = { axes: [-1], keepDims: true } as const;

export const layerNormDef: CompositeDef<CompositeAttrs["layerNorm"]> = {
  kind: "composite",
  name: "layerNorm",
  infer: (types) => {
    const [x, scale, bias] = floatTypes("layerNorm", types, 3);
    const { shape, dtype } = x!;
    checkAxis("layerNorm", shape, shape.length - 1);
    checkOperandShape("layerNorm", "scale", scale!.shape, shape.slice(-1));
    checkOperandShape("layerNorm", "bias", bias!.shape, shape.slice(-1));
    const statistics = {
      shape: createShape([...shape.slice(0, -1), 1]),
      dtype: "float32",
    } as const;
    return [{ shape, dtype }, statistics, statistics];
  },
  decompose: (inputs, { epsilon }) => {
    const [x, scale, bias] = [0, 1, 2].map((i) => operandAt("layerNorm", inputs, i));
    const wide = cast(x!, "float32");
    const average = mean(wide, LAST);
    const centred = sub(wide, average);
    const variance = mean(mul(centred, centred), LAST);
    const invStd = div(1, sqrt(add(variance, epsilon)));
    const normal = cast(mul(centred, invStd), dtypeOf(x!));
    return [add(mul(normal, scale!), bias!), average, invStd];
  },
  gradient: layerNormGradient,
};

/**
 * With c = x − mean, r = invStd, g = dy·scale, n the width:
 * dx = r·g − c·r³·(Σ g·c + dInvStd)/n − (r·Σ g − dMean)/n, sums along the width.
 * Σ g·c = (dy·c)·scale and dScale = rᵀ(dy·c) are products of a matrix and a vector, so that seven passes over x's size
 * are left: c, dy·c, g, r·g, and the three of the sum above.
 */
function layerNormGradient({
  inputs,
  outputs,
  cotangents: [dOutput, dMean, dInvStd],
}: GradientContext<CompositeAttrs["layerNorm"]>): readonly (Value | undefined)[] {
  const x = operandAt("layerNorm", inputs, 0);
  const scale = operandAt("layerNorm", inputs, 1);
  const average = operandAt("layerNorm", outputs, 1);
  const r = operandAt("layerNorm", outputs, 2);
  const shape = shapeOf(x);
  const width = shape.at(-1) ?? 1;
  const count = countOperand(width);
  const dy = dOutput ?? broadcast(scalar(0, dtypeOf(x)), shape);

  const wideDy = cast(dy, "float32");
  const wideScale = cast(scale, "float32");
  const centred = sub(cast(x, "float32"), average);
  const rows = reshape(mul(wideDy, centred), [-1, width]);
  const projected = reshape(matmul(rows, reshape(wideScale, [width, 1])), shapeOf(r));
  const scaled = mul(wideDy, wideScale);
  const slope = mul(mul(mul(r, r), r), dInvStd ? add(projected, dInvStd) : projected);
  const level = mul(r, sum(scaled, LAST));
  const offset = dMean ? sub(level, dMean) : level;

  const dx = sub(sub(mul(scaled, r), mul(centred, div(slope, count))), div(offset, count));
  const dScale = reshape(matmul(reshape(r, [-1, 1]), rows, { transposeA: true }), [width]);
  const dBias = sum(reshape(wideDy, [-1, width]), { axes: [0] });
  return [dx, dScale, dBias].map((wide) => cast(wide, dtypeOf(x)));
}

export interface NormOptions {
  /** Added to the variance; 1e-5 by default, as PyTorch. */
  readonly epsilon?: number;
}

export interface LayerNormOutput {
  /** Of x's shape and dtype. */
  readonly output: Value;
  /** [..., 1], float32. */
  readonly mean: Value;
  /** 1/√(variance + ε), [..., 1], float32. */
  readonly invStd: Value;
}

/**
 * (x − mean)/√(variance + ε)·scale + bias along the last axis (Ba, Kiros and Hinton 2016, arXiv 1607.06450), biased
 * variance in two passes as PyTorch; statistics of 16-bit x in float32.
 *
 * @param x [..., width]; `scale` and `bias` [width], of x's dtype.
 * @throws ShapeError, DtypeError on operands that do not fit.
 */
export function layerNorm(
  x: Value,
  scale: Value,
  bias: Value,
  { epsilon = 1e-5 }: NormOptions = {},
): LayerNormOutput {
  checkEpsilon("layerNorm", epsilon);
  const [output, average, invStd] = buildNode(layerNormDef, [x, scale, bias], { epsilon });
  return { output: output!, mean: average!, invStd: invStd! };
}
