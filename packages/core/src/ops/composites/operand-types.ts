/** Shape rules that composites share: operands that must be float, and results shaped like the first operand. */
import { DtypeError, ShapeError } from "../../errors.js";
import { dtypeOf, type Value, type ValueType } from "../../graph/node.js";
import { cast } from "../primitives/elementwise.js";
import { isFloat } from "../../tensor/dtype.js";
import { equalShapes, formatShape, type Shape } from "../../tensor/shape.js";

/** Operand `index`, which must be there. @throws ShapeError when it is missing. */
export function operandAt(op: string, operands: readonly Value[], index: number): Value {
  const operand = operands[index];
  if (!operand) {
    throw new ShapeError(
      `core/${op}: operands: expected at least ${index + 1}, got ${operands.length}.`,
    );
  }
  return operand;
}

/** The only operand of a composite. */
export function onlyOperand(op: string, operands: readonly Value[]): Value {
  return operandAt(op, operands, 0);
}

/** The operands' types, all of one float dtype. @throws DtypeError otherwise, ShapeError when one is missing. */
export function floatTypes(
  op: string,
  types: readonly ValueType[],
  count: number,
): readonly ValueType[] {
  const [first] = types;
  if (types.length < count || !first) {
    throw new ShapeError(`core/${op}: operands: expected ${count}, got ${types.length}.`);
  }
  const operands = types.slice(0, count);
  if (!isFloat(first.dtype) || operands.some(({ dtype }) => dtype !== first.dtype)) {
    throw new DtypeError(
      `core/${op}: dtype: expected one float dtype, got ${operands.map((t) => t.dtype).join(" and ")}. Cast one; nothing is promoted implicitly.`,
    );
  }
  return operands;
}

/** The type of the first of `count` float operands. */
export function floatType(op: string, types: readonly ValueType[], count = 1): ValueType {
  return floatTypes(op, types, count)[0]!;
}

/** Shape rule of a function of each entry: what comes out is typed as what went in. */
export function inferElementwise(op: string): (types: readonly ValueType[]) => ValueType[] {
  return (types) => [floatType(op, types)];
}

/** Shape rule of a function along one axis. */
export function inferAlongAxis(
  op: string,
): (types: readonly ValueType[], attrs: { readonly axis: number }) => ValueType[] {
  return (types, { axis }) => {
    const x = floatType(op, types);
    checkAxis(op, x.shape, axis);
    return [x];
  };
}

/** @throws ShapeError when `axis` is not one of the axes of `shape`, counted from 0. */
export function checkAxis(op: string, shape: Shape, axis: number): void {
  if (Number.isInteger(axis) && axis >= 0 && axis < shape.length) return;
  throw new ShapeError(
    `core/${op}: axis: expected an axis of ${formatShape(shape)}, counted from 0, got ${axis}.`,
  );
}

/** @throws ShapeError when an operand has another shape. */
export function checkOperandShape(op: string, what: string, got: Shape, expected: Shape): void {
  if (equalShapes(got, expected)) return;
  throw new ShapeError(
    `core/${op}: ${what}: expected ${formatShape(expected)}, got ${formatShape(got)}.`,
  );
}

/** @throws ShapeError unless `epsilon` is a positive number. */
export function checkEpsilon(op: string, epsilon: number, least = 0): void {
  if (Number.isFinite(epsilon) && epsilon > least) return;
  throw new ShapeError(
    `core/${op}: epsilon: expected a finite number above ${least}, got ${epsilon}.`,
  );
}

/** Runs `build` on x as float32 and gives the result in x's dtype: sums of 16-bit floats lose too much. */
export function inFloat32(x: Value, build: (wide: Value) => Value): Value {
  return cast(build(cast(x, "float32")), dtypeOf(x));
}
