/** The number of operands of an op: graphs that passes or other programs made are checked as well as those of builders. */
import { ShapeError } from "../../errors.js";
import type { ValueType } from "../../graph/node.js";

/** @throws ShapeError unless there are exactly `count` operands. */
export function checkArity(op: string, types: readonly ValueType[], count: number): void {
  if (types.length === count) return;
  throw new ShapeError(`core/${op}: operands: expected ${count}, got ${types.length}.`);
}

/** The type of the only operand. @throws ShapeError unless there is exactly one. */
export function onlyType(op: string, types: readonly ValueType[]): ValueType {
  checkArity(op, types, 1);
  return types[0]!;
}

/** The types of both operands. @throws ShapeError unless there are exactly two. */
export function typePair(op: string, types: readonly ValueType[]): readonly [ValueType, ValueType] {
  checkArity(op, types, 2);
  return [types[0]!, types[1]!];
}
