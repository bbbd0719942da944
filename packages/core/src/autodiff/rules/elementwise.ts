/**
 * Derivatives of elementwise primitives. At the edges of their domains they give what IEEE arithmetic gives: ∞ for sqrt
 * at 0, ±∞ or NaN for log and div at 0.
 */
import { dtypeOf, shapeOf, type Value } from "../../graph/node.js";
import type { BinaryName, UnaryName } from "../../ops/primitives/elementwise.js";
import {
  add,
  cast,
  div,
  equal,
  exp,
  isDifferentiable,
  less,
  mul,
  neg,
  select,
  sub,
} from "../../ops/primitives/elementwise.js";
import { binary, notDifferentiable, ternary, unary, type Rule } from "../rule.js";
import { unbroadcast } from "../unbroadcast.js";

/** Negated after the sum over stretched axes: the smaller pass. */
const minus = (cotangent: Value, operand: Value): Value =>
  neg(unbroadcast(cotangent, shapeOf(operand)));

/** The cotangent where `winner` is larger, half of it where both are equal. */
const won = (winner: Value, other: Value, dy: Value): Value =>
  select(less(other, winner), dy, select(equal(winner, other), mul(dy, 0.5), 0));

/** −1, 0 or 1. */
const sign = (x: Value): Value => sub(cast(less(0, x), dtypeOf(x)), cast(less(x, 0), dtypeOf(x)));

export const arithmeticRules = {
  add: binary(({ dy }) => [dy, dy]),
  sub: binary(({ b, dy }) => [dy, minus(dy, b)]),
  mul: binary(({ a, b, dy }) => [mul(dy, b), mul(dy, a)]),
  div: binary(({ b, y, dy }) => {
    const quotient = div(dy, b);
    return [quotient, minus(mul(quotient, y), b)];
  }),
  max: binary(({ a, b, dy }) => [won(a, b, dy), won(b, a, dy)]),
  neg: unary(({ dy }) => neg(dy)),
  abs: unary(({ x, dy }) => mul(dy, sign(x))),
  exp: unary(({ y, dy }) => mul(dy, y)),
  log: unary(({ x, dy }) => div(dy, x)),
  log1p: unary(({ x, dy }) => div(dy, add(x, 1))),
  sqrt: unary(({ y, dy }) => div(mul(dy, 0.5), y)),
  tanh: unary(({ y, dy }) => mul(dy, sub(1, mul(y, y)))),
  sigmoid: unary(({ y, dy }) => mul(dy, mul(y, sub(1, y)))),
  erf: unary(({ x, dy }) => mul(dy, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))),
} satisfies { [Name in BinaryName | UnaryName]: Rule<Name> };

const TRUTH = "it gives truth values";

export const choiceRules = {
  compare: notDifferentiable(TRUTH),
  and: notDifferentiable(TRUTH),
  or: notDifferentiable(TRUTH),
  not: notDifferentiable(TRUTH),
  select: ternary(({ a: condition, dy }) => [
    undefined,
    select(condition, dy, 0),
    select(condition, 0, dy),
  ]),
  cast: unary(({ x, dy }) => (isDifferentiable(x) ? cast(dy, dtypeOf(x)) : undefined)),
  stopGradient: notDifferentiable("it is there to stop gradients"),
  after: binary(({ dy }) => [dy, undefined]),
} satisfies {
  [
    Name in "compare" | "and" | "or" | "not" | "select" | "cast" | "stopGradient" | "after"
  ]: Rule<Name>;
};
