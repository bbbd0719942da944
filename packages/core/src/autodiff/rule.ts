/** What a derivative rule is: from the cotangent of a primitive's result to the cotangents of its operands. */
import { InternalError } from "../errors.js";
import type { Value } from "../graph/node.js";
import type { PrimitiveAttrs, PrimitiveName } from "../ops/primitive-table.js";

/** What a rule is given besides the operands. */
export interface RuleCall<Name extends PrimitiveName> {
  readonly attrs: PrimitiveAttrs[Name];
  /** The primitive's result. */
  readonly y: Value;
  /** Its cotangent. */
  readonly dy: Value;
}

/**
 * Cotangents of the operands, undefined where none flows. They may still have the shape of the result: whoever
 * accumulates sums them over the axes along which the operand was stretched.
 */
export type Derivative<Name extends PrimitiveName> = (
  operands: readonly Value[],
  call: RuleCall<Name>,
) => readonly (Value | undefined)[];

/** A primitive through which no cotangent flows, and why. */
export interface NotDifferentiable {
  readonly notDifferentiable: string;
}

export type Rule<Name extends PrimitiveName> = Derivative<Name> | NotDifferentiable;

export function notDifferentiable(why: string): NotDifferentiable {
  return Object.freeze({ notDifferentiable: why });
}

function operandOf(operands: readonly Value[], index: number): Value {
  const operand = operands[index];
  if (!operand) throw new InternalError(`core/gradients: a primitive without operand ${index}.`);
  return operand;
}

/** A rule of one operand. */
export function unary<Name extends PrimitiveName>(
  derivative: (call: RuleCall<Name> & { readonly x: Value }) => Value | undefined,
): Derivative<Name> {
  return (operands, call) => [derivative({ ...call, x: operandOf(operands, 0) })];
}

/** A rule of two operands. */
export function binary<Name extends PrimitiveName>(
  derivative: (
    call: RuleCall<Name> & { readonly a: Value; readonly b: Value },
  ) => readonly (Value | undefined)[],
): Derivative<Name> {
  return (operands, call) =>
    derivative({ ...call, a: operandOf(operands, 0), b: operandOf(operands, 1) });
}

/** A rule of three operands. */
export function ternary<Name extends PrimitiveName>(
  derivative: (
    call: RuleCall<Name> & { readonly a: Value; readonly b: Value; readonly c: Value },
  ) => readonly (Value | undefined)[],
): Derivative<Name> {
  return (operands, call) =>
    derivative({
      ...call,
      a: operandOf(operands, 0),
      b: operandOf(operands, 1),
      c: operandOf(operands, 2),
    });
}
