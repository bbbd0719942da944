/** Sizes of symbols from the shapes that are fed, and the checks that every feed is known and fits its input. */
import { BackendError, DtypeError, ShapeError } from "../errors.js";
import { inputName } from "../graph/graph.js";
import { typeOf, type Value } from "../graph/node.js";
import type { DType } from "../tensor/dtype.js";
import {
  bindDim,
  evaluateDim,
  formatDim,
  isSymbolic,
  type Dim,
  type DimBinding,
  type SymbolicDim,
} from "../tensor/dim.js";
import { nearestName } from "../plugin/nearest-name.js";
import { formatShape } from "../tensor/shape.js";

/** What a feed is, whatever holds its values. */
export interface FedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

interface BoundSymbol {
  readonly size: number;
  /** Where the size comes from, for errors. */
  readonly from: string;
}

interface FedAxis {
  readonly dim: SymbolicDim;
  readonly size: number;
  readonly where: string;
}

/**
 * The size of each symbol in the shapes of `inputs` (input and parameter nodes) under `feeds`.
 *
 * @param where `package/function`, the start of errors.
 * @param given Sizes known beforehand, of symbols that no input shows.
 * @throws BackendError on a missing feed, DtypeError on another dtype, ShapeError on a feed of another shape or where
 * two feeds give one symbol two sizes.
 */
export function bindFeeds(
  where: string,
  inputs: readonly Value[],
  feeds: Readonly<Record<string, FedTensor>>,
  given: DimBinding = {},
): DimBinding {
  const bound = new Map<string, BoundSymbol>(
    Object.entries(given).map(([symbol, size]) => [symbol, { size, from: "the given binding" }]),
  );
  const axes = inputs.flatMap((input) => fedAxes(where, input, feeds));
  // Plain symbols first, then polynomials of which one symbol is left, until nothing is learnt.
  for (const { dim, size, where: from } of axes) {
    if (dim.terms.length === 1 && dim.key === dim.terms[0]?.symbols[0])
      bindSymbol(where, dim.key, { size, from }, bound);
  }
  for (let known = -1; known < bound.size;) {
    known = bound.size;
    for (const axis of axes) solveAxis(axis, bound);
  }
  const binding = Object.fromEntries([...bound].map(([symbol, { size }]) => [symbol, size]));
  for (const { dim, size, where: from } of axes) checkSize(`${where}: ${from}`, dim, size, binding);
  return Object.freeze(binding);
}

/** The symbolic axes of one input with the sizes fed; the others are checked. */
function fedAxes(
  where: string,
  input: Value,
  feeds: Readonly<Record<string, FedTensor>>,
): readonly FedAxis[] {
  const name = inputName(input.node);
  const { shape, dtype } = typeOf(input);
  const feed = feeds[name];
  if (!feed) {
    throw new BackendError(
      `${where}: feeds: expected a tensor for "${name}", got none (fed: ${Object.keys(feeds).join(", ") || "nothing"}). Feed every input.`,
    );
  }
  checkFeedDtype(where, name, feed.dtype, dtype);
  const fits =
    feed.shape.length === shape.length &&
    shape.every((dim, axis) => isSymbolic(dim) || dim === feed.shape[axis]);
  if (!fits) {
    throw new ShapeError(
      `${where}: shape of "${name}": expected ${formatShape(shape)}, got ${formatShape(feed.shape)}.`,
    );
  }
  return shape.flatMap((dim, axis) =>
    isSymbolic(dim) ? [{ dim, size: feed.shape[axis]!, where: `"${name}" axis ${axis}` }] : [],
  );
}

function bindSymbol(
  where: string,
  symbol: string,
  next: BoundSymbol,
  bound: Map<string, BoundSymbol>,
): void {
  const before = bound.get(symbol);
  if (before && before.size !== next.size) {
    throw new ShapeError(
      `${where}: ${symbol}: expected one size, got ${before.size} (${before.from}) and ${next.size} (${next.from}). Feed tensors that agree.`,
    );
  }
  if (!before) bound.set(symbol, next);
}

/** Learns the one symbol that is left in an axis when it is there to the first power. */
function solveAxis({ dim, size, where }: FedAxis, bound: Map<string, BoundSymbol>): void {
  let constant = 0;
  let slope = 0;
  let unknown: string | undefined;
  for (const { coefficient, symbols } of dim.terms) {
    const open = symbols.filter((symbol) => !bound.has(symbol));
    const known = symbols.reduce(
      (value, symbol) => value * (bound.get(symbol)?.size ?? 1),
      coefficient,
    );
    if (open.length === 0) constant += known;
    else if (open.length > 1 || (unknown !== undefined && unknown !== open[0])) return;
    else {
      unknown = open[0];
      slope += known;
    }
  }
  const solved = (size - constant) / slope;
  // What is no size is left for the final check to name.
  if (unknown !== undefined && Number.isInteger(solved) && solved >= 0)
    bound.set(unknown, { size: solved, from: where });
}

function checkSize(what: string, dim: Dim, size: number, binding: DimBinding): void {
  const left = bindDim(dim, binding);
  if (isSymbolic(left)) {
    throw new ShapeError(
      `${what}: expected a size that ${formatDim(dim)} can have, got ${size} (with ${JSON.stringify(binding)}).`,
    );
  }
  const expected = evaluateDim(dim, binding);
  if (expected !== size) {
    throw new ShapeError(
      `${what}: expected ${formatDim(dim)} = ${expected} (with ${JSON.stringify(binding)}), got ${size}.`,
    );
  }
}

/** @throws DtypeError when a feed has another dtype than its input. */
export function checkFeedDtype(where: string, name: string, got: DType, expected: DType): void {
  if (got === expected) return;
  throw new DtypeError(
    `${where}: dtype of "${name}": expected ${expected}, got ${got}. Feed ${expected}; nothing is converted implicitly.`,
  );
}

/** @throws BackendError on a name of `what` (feeds, into) that is not among those known, with the nearest. */
export function checkKnownNames(
  where: string,
  what: string,
  got: readonly string[],
  known: readonly string[],
): void {
  // A set: an update's thousand feeds are checked in every step.
  const names = new Set(known);
  const unknown = got.find((name) => !names.has(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known);
  const remedy = nearest === undefined ? "Leave it out." : `Did you mean "${nearest}"?`;
  throw new BackendError(
    `${where}: ${what}: expected ${known.join(", ") || "none"}, got "${unknown}". ${remedy}`,
  );
}
