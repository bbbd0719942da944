/** A written shape is a checked shape: binds the names of a pattern to the sizes of values, so that doc, check and error are one text. */
import { ShapeError } from "../errors.js";
import { shapeOf, type Value } from "../graph/node.js";
import { addDims, equalDims, formatDim, mulDims, parseDim, type Dim } from "./dim.js";
import { formatShape } from "./shape.js";

/**
 * One axis of a pattern: a size, a name (bound at its first use, compared afterwards), a polynomial over names bound
 * before (`tokens+1`, `3*width`), or `...` (first only): any number of leading axes.
 */
export type AxisPattern = number | string;

/** A value, what to call it in the error, and its pattern. */
export type ShapeCheck = readonly [value: Value, name: string, pattern: readonly AxisPattern[]];

type NameOf<Axis> = Axis extends number
  ? never
  : Axis extends "..." | `${string}${"*" | "+" | "-"}${string}`
    ? never
    : Axis;

/** Names that the patterns bind, with their sizes. */
export type BoundNames<Checks extends readonly ShapeCheck[]> = Readonly<
  Record<NameOf<Checks[number][2][number]> & string, Dim>
>;

interface Binding {
  readonly dim: Dim;
  /** The value that bound the name. */
  readonly from: string;
}

/**
 * Binds names to sizes and checks every value against its pattern.
 *
 * @param where `package/function`, the start of the error.
 * @returns The size of each name.
 * @throws ShapeError naming the value, the pattern with the sizes known so far, and the shape met.
 * @example
 * const { batch, embedDim } = checkShapes("losses/info-nce",
 *   [image, "image", ["batch", "embedDim"]], [text, "text", ["batch", "embedDim"]]);
 */
export function checkShapes<const Checks extends readonly ShapeCheck[]>(
  where: string,
  ...checks: Checks
): BoundNames<Checks> {
  const bound = new Map<string, Binding>();
  for (const check of checks) checkOne(where, check, bound);
  return Object.freeze(
    Object.fromEntries([...bound].map(([name, { dim }]) => [name, dim])),
  ) as BoundNames<Checks>;
}

function checkOne(
  where: string,
  [value, name, pattern]: ShapeCheck,
  bound: Map<string, Binding>,
): void {
  const shape = shapeOf(value);
  const open = pattern[0] === "...";
  const axes = open ? pattern.slice(1) : pattern;
  const fail = (reason: string): never => {
    throw new ShapeError(
      `${where}: ${name}: expected [${pattern.join(", ")}], got ${formatShape(shape)} (${reason}).`,
    );
  };
  if (open ? shape.length < axes.length : shape.length !== axes.length)
    fail(`${open ? "at least " : ""}${axes.length} axes, got ${shape.length}`);
  const offset = shape.length - axes.length;
  axes.forEach((axis, i) => {
    const size = shape[offset + i] ?? 1;
    const known = sizeOf(axis, bound);
    if (known === undefined) bound.set(String(axis), { dim: size, from: name });
    else if (!equalDims(known.dim, size)) {
      const source = known.from === "" ? "" : ` as in ${known.from}`;
      fail(`${axis} is ${formatDim(known.dim)}${source}, got ${formatDim(size)}`);
    }
  });
}

/** The size that an axis must have, undefined for a name met first. */
function sizeOf(axis: AxisPattern, bound: ReadonlyMap<string, Binding>): Binding | undefined {
  if (typeof axis === "number") return { dim: axis, from: "" };
  const known = bound.get(axis);
  if (known || !/[*+-]/.test(axis)) return known;
  const polynomial = parseDim(axis);
  if (typeof polynomial === "number") return { dim: polynomial, from: "" };
  const terms = polynomial.terms.map(({ coefficient, symbols }) =>
    mulDims(
      coefficient,
      ...symbols.map((symbol) => bound.get(symbol)?.dim ?? unbound(axis, symbol)),
    ),
  );
  return { dim: addDims(...terms), from: "" };
}

function unbound(axis: string, symbol: string): never {
  throw new ShapeError(
    `core/checkShapes: pattern: expected names bound before they are used, got "${symbol}" in "${axis}". Write the value that binds it first.`,
  );
}
