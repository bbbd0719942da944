/** Comparison of numbers that were computed in another precision or order. */
import { hostValues, type DType, type HostTensor } from "@diptych/core";
import type { Float64Tensor } from "@diptych/core/reference";
import { assert } from "vitest";

/** Numbers with or without a shape. */
export type Comparable = HostTensor | Float64Tensor | ArrayLike<number>;

export interface Closeness {
  /** Allowed difference, relative to the largest finite entry of `expected`. */
  readonly relativeToLargest: number;
  /** Allowed difference beside it, 0 by default. */
  readonly absolute?: number;
  /** What is compared, for the message. */
  readonly what?: string;
}

/** Fails unless {@link findDifference} finds none. */
export function expectClose(actual: Comparable, expected: Comparable, closeness: Closeness): void {
  const difference = findDifference(actual, expected, closeness);
  if (difference !== undefined) assert.fail(difference);
}

/**
 * What is wrong, in words; undefined where nothing is. Shapes and dtypes are compared where both sides have them.
 * Infinities must be the same; NaN matches NaN alone.
 */
export function findDifference(
  actual: Comparable,
  expected: Comparable,
  { relativeToLargest, absolute = 0, what = "values" }: Closeness,
): string | undefined {
  const [a, b] = [describeNumbers(actual), describeNumbers(expected)];
  if (a.dtype && b.dtype && a.dtype !== b.dtype)
    return `${what}: expected dtype ${b.dtype}, got ${a.dtype}`;
  if (a.shape && b.shape && a.shape.join() !== b.shape.join())
    return `${what}: expected shape [${b.shape.join(", ")}], got [${a.shape.join(", ")}]`;
  if (a.values.length !== b.values.length)
    return `${what}: expected ${b.values.length} entries, got ${a.values.length}`;
  const allowed = absolute + relativeToLargest * largestOf(b.values);
  const errors = Float64Array.from(b.values, (value, i) => errorOf(a.values[i]!, value));
  const worst = errors.reduce((at, error, i) => (error > errors[at]! ? i : at), 0);
  if (errors.length === 0 || errors[worst]! <= allowed) return undefined;
  const wrong = errors.filter((error) => error > allowed).length;
  return `${what}: entry ${worst}: expected ${b.values[worst]!}, got ${a.values[worst]!} (off by ${errors[worst]!}, allowed ${allowed}; ${wrong} of ${errors.length} entries are off)`;
}

interface Numbers {
  readonly values: ArrayLike<number>;
  readonly shape?: readonly number[];
  readonly dtype?: DType;
}

function describeNumbers(source: Comparable): Numbers {
  if (!("data" in source)) return { values: source };
  const { shape, dtype, data } = source;
  const values = data instanceof Float64Array ? data : hostValues(source as HostTensor);
  return { values, shape, dtype };
}

function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (Number.isFinite(size) && size > largest) largest = size;
  }
  return largest;
}

/** ∞ where one is finite and the other is not, or where infinities or NaN disagree. */
function errorOf(actual: number, expected: number): number {
  if (Number.isFinite(actual) && Number.isFinite(expected)) return Math.abs(actual - expected);
  return Object.is(actual, expected) ? 0 : Infinity;
}
