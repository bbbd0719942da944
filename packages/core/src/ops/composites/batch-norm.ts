/** Batch norm with the statistics of the batch itself (training); inference is a scale and a shift by the running ones. */
import { ShapeError } from "../../errors.js";
import { buildNode } from "../../graph/builder.js";
import { dtypeOf, rankOf, shapeOf, type Value } from "../../graph/node.js";
import type { CompositeDef, GradientContext } from "../../graph/op-def.js";
import { createShape, formatShape } from "../../tensor/shape.js";
import type { CompositeAttrs } from "../composite-table.js";
import type { ImageLayout } from "../primitives/image-axes.js";
import { add, cast, div, mul, sqrt, sub } from "../primitives/elementwise.js";
import { broadcast, reshape } from "../primitives/layout.js";
import { scalar } from "../primitives/leaves.js";
import { sum } from "../primitives/reduction.js";
import type { NormOptions } from "./layer-norm.js";
import { countAlong, countOperand, mean } from "./mean.js";
import { checkEpsilon, checkOperandShape, floatTypes, operandAt } from "./operand-types.js";

type Layout = ImageLayout["layout"];

function channelAxis(rank: number, layout: Layout): number {
  return layout ? rank - 1 : 1;
}

/** Every axis but the channels'. */
function sampleAxes(x: Value, layout: Layout): readonly number[] {
  const channels = channelAxis(rankOf(x), layout);
  return Array.from({ length: rankOf(x) }, (_, axis) => axis).filter((axis) => axis !== channels);
}

/** A vector [C] in float32 that lines up with x's channels: [C, 1, …], or as it is where they come last. */
function alongChannels(vector: Value, x: Value, layout: Layout): Value {
  const trailing = Array.from({ length: layout ? 0 : rankOf(x) - 2 }, () => 1);
  return cast(reshape(vector, [...shapeOf(vector), ...trailing]), "float32");
}

export const batchNormDef: CompositeDef<CompositeAttrs["batchNorm"]> = {
  kind: "composite",
  name: "batchNorm",
  infer: (types, { layout }) => {
    const [x, scale, bias] = floatTypes("batchNorm", types, 3);
    const { shape, dtype } = x!;
    if (shape.length < 2) {
      throw new ShapeError(
        `core/batchNorm: x: expected [N, C, ...], got ${formatShape(shape)}. Give it a channel axis.`,
      );
    }
    const axis = channelAxis(shape.length, layout);
    const channels = createShape(shape.slice(axis, axis + 1));
    checkOperandShape("batchNorm", "scale", scale!.shape, channels);
    checkOperandShape("batchNorm", "bias", bias!.shape, channels);
    const statistics = { shape: channels, dtype: "float32" } as const;
    return [{ shape, dtype }, statistics, statistics];
  },
  decompose: (inputs, { epsilon, layout }) => {
    const x = operandAt("batchNorm", inputs, 0);
    const scale = operandAt("batchNorm", inputs, 1);
    const bias = operandAt("batchNorm", inputs, 2);
    const axes = sampleAxes(x, layout);
    const wide = cast(x, "float32");
    const average = mean(wide, { axes });
    const centred = sub(wide, alongChannels(average, x, layout));
    const variance = mean(mul(centred, centred), { axes });
    const factor = mul(div(1, sqrt(add(variance, epsilon))), cast(scale, "float32"));
    const y = add(mul(centred, alongChannels(factor, x, layout)), alongChannels(bias, x, layout));
    return [cast(y, dtypeOf(x)), average, variance];
  },
  gradient: batchNormGradient,
};

/**
 * With c = x − mean, r = 1/√(variance + ε), k = scale·r, n entries a channel:
 * dx = k·dy − c·(k·r²·Σ dy·c − 2·dVariance)/n − (k·Σ dy − dMean)/n, dScale = r·Σ dy·c, dBias = Σ dy.
 */
function batchNormGradient({
  inputs,
  attrs: { epsilon, layout },
  outputs,
  cotangents: [dOutput, dMean, dVariance],
}: GradientContext<CompositeAttrs["batchNorm"]>): readonly (Value | undefined)[] {
  const x = operandAt("batchNorm", inputs, 0);
  const scale = cast(operandAt("batchNorm", inputs, 1), "float32");
  const average = operandAt("batchNorm", outputs, 1);
  const variance = operandAt("batchNorm", outputs, 2);
  const axes = sampleAxes(x, layout);
  const count = countOperand(countAlong(shapeOf(x), axes));
  const dy = cast(dOutput ?? broadcast(scalar(0, dtypeOf(x)), shapeOf(x)), "float32");

  const centred = sub(cast(x, "float32"), alongChannels(average, x, layout));
  const r = div(1, sqrt(add(variance, epsilon)));
  const k = mul(scale, r);
  const along = sum(mul(dy, centred), { axes });
  const level = sum(dy, { axes });
  const fromOutput = mul(mul(k, mul(r, r)), along);
  const slope = dVariance ? sub(fromOutput, mul(dVariance, 2)) : fromOutput;
  const offset = dMean ? sub(mul(k, level), dMean) : mul(k, level);

  const tilt = mul(centred, alongChannels(div(slope, count), x, layout));
  const dx = sub(
    sub(mul(dy, alongChannels(k, x, layout)), tilt),
    alongChannels(div(offset, count), x, layout),
  );
  const narrow = (value: Value): Value => cast(value, dtypeOf(x));
  return [narrow(dx), narrow(mul(r, along)), narrow(level)];
}

export interface BatchNormOutput {
  /** Of x's shape and dtype. */
  readonly output: Value;
  /** Mean of the batch, [C], float32. */
  readonly mean: Value;
  /** Biased variance of the batch, [C], float32; times n/(n−1) it is what PyTorch adds to its running variance. */
  readonly variance: Value;
}

/**
 * (x − mean)/√(variance + ε)·scale + bias with the statistics of the batch over all axes but the channels' (Ioffe and
 * Szegedy 2015, arXiv 1502.03167, algorithm 1); two passes, statistics of 16-bit x in float32.
 *
 * @param x [N, C, ...]; `scale` and `bias` [C], of x's dtype.
 * @throws ShapeError, DtypeError on operands that do not fit.
 */
export function batchNorm(
  x: Value,
  scale: Value,
  bias: Value,
  { epsilon = 1e-5 }: NormOptions = {},
): BatchNormOutput {
  checkEpsilon("batchNorm", epsilon);
  const [output, average, variance] = buildNode(batchNormDef, [x, scale, bias], { epsilon });
  return { output: output!, mean: average!, variance: variance! };
}
