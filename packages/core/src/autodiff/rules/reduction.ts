/** Derivatives of reductions. */
import { dtypeOf, shapeOf, type Value } from "../../graph/node.js";
import { cast, div, equal, mul } from "../../ops/primitives/elementwise.js";
import { broadcast, reshape } from "../../ops/primitives/layout.js";
import { reducedShape, sum } from "../../ops/primitives/reduction.js";
import { notDifferentiable, unary, type Rule } from "../rule.js";

/** A reduced value with its axes back, of size 1. */
const kept = (value: Value, x: Value, axes: readonly number[]): Value =>
  reshape(value, reducedShape(shapeOf(x), axes, true));

export const reductionRules = {
  sum: unary(({ x, attrs: { axes }, dy }) => broadcast(kept(dy, x, axes), shapeOf(x))),
  reduceMax: unary(({ x, attrs: { axes }, y, dy }) => {
    const winners = cast(equal(x, kept(y, x, axes)), dtypeOf(x));
    const share = div(kept(dy, x, axes), sum(winners, { axes, keepDims: true }));
    return mul(winners, share);
  }),
  argmax: notDifferentiable("positions are integers"),
} satisfies { [Name in "sum" | "reduceMax" | "argmax"]: Rule<Name> };
