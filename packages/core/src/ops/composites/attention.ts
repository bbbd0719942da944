/** Scaled dot-product attention; its gradient computes the probabilities anew, so nothing of size [queries, keys] is kept. */
import { DtypeError, ShapeError } from "../../errors.js";
import { buildNode } from "../../graph/builder.js";
import { dtypeOf, rankOf, shapeOf, type Value, type ValueType } from "../../graph/node.js";
import type { CompositeDef, GradientContext } from "../../graph/op-def.js";
import { broadcastShapes } from "../../tensor/broadcast.js";
import type { Dim } from "../../tensor/dim.js";
import { createShape, equalShapes, formatShape, type Shape } from "../../tensor/shape.js";
import type { CompositeAttrs } from "../composite-table.js";
import { matmul } from "../primitives/contraction.js";
import {
  add,
  after,
  and,
  cast,
  lessEqual,
  log,
  mul,
  select,
  sub,
} from "../primitives/elementwise.js";
import { reshape } from "../primitives/layout.js";
import { iota, scalar } from "../primitives/leaves.js";
import { reduceMax, sum } from "../primitives/reduction.js";
import { floatTypes, operandAt } from "./operand-types.js";
import { softmax } from "./softmax.js";

type Attributes = CompositeAttrs["attention"];

const KEYS = { axes: [-1], keepDims: true } as const;

/** Added to a masked score: exp of it is 0 beside any other, and no sum of it and a score overflows float32. */
const MASKED = -(2 ** 126);

function inferAttention(types: readonly ValueType[]): readonly ValueType[] {
  const [query, key, value] = floatTypes("attention", types, 3).map(({ shape }) => shape);
  const [batch, heads, queries, headDim] = query!;
  const keys = key!.at(2) ?? 0;
  const fits =
    [query!, key!, value!].every((shape) => shape.length === 4) &&
    equalShapes(key!, [batch!, heads!, keys, headDim!]) &&
    equalShapes(value!.slice(0, 3), key!.slice(0, 3));
  if (!fits) {
    throw new ShapeError(
      `core/attention: operands: expected query [B, heads, queries, headDim], key [B, heads, keys, headDim] and value [B, heads, keys, any], got ${[query!, key!, value!].map(formatShape).join(", ")}.`,
    );
  }
  if (types[3]) checkMask(types[3], [batch!, heads!, queries!, keys]);
  const { dtype } = types[0]!;
  return [
    { shape: createShape([...query!.slice(0, 3), value!.at(3)!]), dtype },
    { shape: createShape(query!.slice(0, 3)), dtype: "float32" },
  ];
}

function checkMask({ shape, dtype }: ValueType, scores: Shape): void {
  if (dtype !== "bool") {
    throw new DtypeError(
      `core/attention: mask: expected bool, true = attend, got ${dtype}. Compare it first.`,
    );
  }
  if (!equalShapes(broadcastShapes("core/attention mask", shape, scores), scores)) {
    throw new ShapeError(
      `core/attention: mask: expected a shape that stretches to ${formatShape(scores)}, got ${formatShape(shape)}.`,
    );
  }
}

/** bool, stretchable to [B, heads, queries, keys]: which key a query may see; undefined when every one. */
function allowedPairs(
  mask: Value | undefined,
  causal: boolean,
  queries: Dim,
  keys: Dim,
): Value | undefined {
  const given = mask && rankOf(mask) === 0 ? reshape(mask, [1]) : mask;
  if (!causal) return given;
  const past = lessEqual(reshape(iota(keys), [1, keys]), reshape(iota(queries), [queries, 1]));
  return given ? and(given, past) : past;
}

interface Attending {
  /** query·scale. */
  readonly scaled: Value;
  /** float32 [B, heads, queries, keys]: what softmax is taken of, and its result. */
  readonly scores: Value;
  readonly probabilities: Value;
  /** 1 for a query that sees some key, 0 for one that sees none, where there may be such; in the operands' dtype. */
  readonly sighted: Value | undefined;
}

function attend(inputs: readonly Value[], causal: boolean, scale: Value): Attending {
  const query = operandAt("attention", inputs, 0);
  const key = operandAt("attention", inputs, 1);
  const mask = inputs[3];
  const scaled = mul(query, scale);
  const products = cast(matmul(scaled, key, { transposeB: true }), "float32");
  const allowed = allowedPairs(mask, causal, shapeOf(query)[2]!, shapeOf(key)[2]!);
  const scores = allowed ? add(products, select(allowed, scalar(0), MASKED)) : products;
  // Under a causal mask alone every query sees the first key.
  const sighted = mask && allowed && reduceMax(cast(allowed, dtypeOf(query)), KEYS);
  return { scaled, scores, probabilities: softmax(scores), sighted };
}

export const attentionDef: CompositeDef<Attributes> = {
  kind: "composite",
  name: "attention",
  infer: inferAttention,
  decompose: (inputs, { scale, causal }) => {
    const query = operandAt("attention", inputs, 0);
    const value = operandAt("attention", inputs, 2);
    const { scores, probabilities, sighted } = attend(
      inputs,
      causal,
      scalar(scale, dtypeOf(query)),
    );
    const y = matmul(cast(probabilities, dtypeOf(query)), value);
    // log Σ exp = maximum − log of its probability; two reductions of what is there anyway.
    const logSum = sub(
      reduceMax(scores, { axes: [-1] }),
      log(reduceMax(probabilities, { axes: [-1] })),
    );
    return [sighted ? mul(y, sighted) : y, logSum];
  },
  gradient: attentionGradient,
};

/**
 * With P the probabilities, dP = dy·valueᵀ: dValue = Pᵀ·dy, dScores = P∘(dP − Σ dy∘y + dLogSumExp), where
 * Σ dy∘y = Σ P∘dP (Dao et al. 2022, arXiv 2205.14135, section B.2) is over headDim and not over keys.
 */
function attentionGradient({
  inputs,
  attrs: { scale, causal },
  outputs,
  cotangents: [dOutput, dLogSumExp],
}: GradientContext<Attributes>): readonly (Value | undefined)[] {
  const arriving = dOutput ?? dLogSumExp;
  if (!arriving) return [];
  const key = operandAt("attention", inputs, 1);
  const value = operandAt("attention", inputs, 2);
  const y = operandAt("attention", outputs, 0);
  const dtype = dtypeOf(y);
  // The scores depend on the scale, which must wait for the cotangent: they can be neither kept nor computed early.
  const late = after(scalar(scale, dtype), arriving);
  const { scaled, probabilities, sighted } = attend(inputs, causal, late);
  const seen = (cotangent: Value): Value =>
    sighted ? mul(cotangent, cast(sighted, dtypeOf(cotangent))) : cotangent;

  const dLogSum = dLogSumExp && seen(reshape(dLogSumExp, [...shapeOf(dLogSumExp), 1]));
  const dy = dOutput && seen(dOutput);
  const wide = (x: Value): Value => cast(x, "float32");
  const flow = dy && {
    dValue: matmul(cast(probabilities, dtype), dy, { transposeA: true }),
    dProbabilities: wide(matmul(dy, value, { transposeB: true })),
    centre: sum(mul(wide(dy), wide(y)), KEYS),
  };
  const pull = flow
    ? sub(flow.dProbabilities, dLogSum ? sub(flow.centre, dLogSum) : flow.centre)
    : dLogSum!;
  const dScores = cast(mul(probabilities, pull), dtype);
  const dQuery = mul(matmul(dScores, key), late);
  const dKey = matmul(dScores, scaled, { transposeA: true });
  return [dQuery, dKey, flow?.dValue, undefined];
}

export interface AttentionOptions {
  /** bool, stretchable to [B, heads, queries, keys]; true = attend. */
  readonly mask?: Value;
  /** Hides keys at later positions than the query's, both counted from 0. */
  readonly causal?: boolean;
  /** 1/√headDim by default. */
  readonly scale?: number;
}

export interface AttentionOutput {
  /** [B, heads, queries, value's last axis]. */
  readonly output: Value;
  /** log Σ exp(scores) [B, heads, queries], float32; about −2¹²⁶ for a query that sees no key. */
  readonly logSumExp: Value;
}

/**
 * softmax(scale·query·keyᵀ)·value (Vaswani et al. 2017, arXiv 1706.03762, equation 1), softmax in float32. A query that
 * sees no key gives zeros and has no gradient.
 *
 * @param query [B, heads, queries, headDim]; `key` [B, heads, keys, headDim]; `value` [B, heads, keys, headDim] (its last axis may differ); one float dtype.
 * @throws ShapeError, DtypeError on operands or a mask that do not fit, or without a scale when headDim is a symbol.
 */
export function attention(
  query: Value,
  key: Value,
  value: Value,
  { mask, causal = false, scale }: AttentionOptions = {},
): AttentionOutput {
  const headDim = shapeOf(query).at(-1);
  if (scale === undefined && typeof headDim !== "number") {
    throw new ShapeError(
      `core/attention: scale: expected a number as headDim is none, got ${formatShape(shapeOf(query))} for query. Give scale.`,
    );
  }
  const attrs = { scale: scale ?? 1 / Math.sqrt(Number(headDim)), causal };
  const inputs = mask ? [query, key, value, mask] : [query, key, value];
  const [output, logSum] = buildNode(attentionDef, inputs, attrs);
  return { output: output!, logSumExp: logSum! };
}
