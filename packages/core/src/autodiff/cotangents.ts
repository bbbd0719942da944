/** Cotangents by value: the one place where several of them are added up. */
import { InternalError } from "../errors.js";
import { dtypeOf, shapeOf, type Value } from "../graph/node.js";
import { add } from "../ops/primitives/elementwise.js";
import { concat } from "../ops/primitives/layout.js";
import { addDims, equalDims, type Dim } from "../tensor/dim.js";
import { equalShapes } from "../tensor/shape.js";
import { unbroadcast } from "./unbroadcast.js";

export interface Cotangents {
  /** Adds a contribution, summed to the value's shape where it was stretched. */
  contribute(value: Value, cotangent: Value): void;
  /** The sum of what was contributed, undefined when nothing was. To be asked once no more is to come. */
  total(value: Value): Value | undefined;
}

export function createCotangents(): Cotangents {
  const contributions = new Map<Value, Value[]>();
  return Object.freeze({
    contribute(value: Value, cotangent: Value): void {
      if (dtypeOf(cotangent) !== dtypeOf(value)) {
        throw new InternalError(
          `core/gradients: cotangent: expected ${dtypeOf(value)} as output ${value.index} of ${value.node.op} has, got ${dtypeOf(cotangent)} (${value.node.origin}).`,
        );
      }
      const fitting = unbroadcast(cotangent, shapeOf(value));
      const before = contributions.get(value);
      if (before) before.push(fitting);
      else contributions.set(value, [fitting]);
    },
    total(value: Value): Value | undefined {
      const parts = contributions.get(value);
      if (!parts) return undefined;
      const whole = addedUp(parts);
      contributions.set(value, [whole]);
      return whole;
    },
  });
}

function addedUp(parts: readonly Value[]): Value {
  const windows = parts.filter(({ node }) => node.op === "pad");
  const joined = windows.length > 1 ? joinWindows(windows) : undefined;
  const terms = joined ? [...parts.filter(({ node }) => node.op !== "pad"), joined] : parts;
  return terms.reduce((sum, term) => add(sum, term));
}

/**
 * Zero-padded windows that tile a whole along one axis, as one concatenation: the cotangents of query, key and value
 * sliced from one projection, in one pass over memory and not five.
 */
function joinWindows(windows: readonly Value[]): Value | undefined {
  const whole = shapeOf(windows[0]!);
  const inners = windows.map(({ node }) => ({
    value: node.inputs[0]!,
    begins: node.attrs["begins"] as readonly Dim[],
  }));
  const axis = whole.findIndex((dim, i) =>
    inners.some(({ value }) => !equalDims(dim, shapeOf(value)[i]!)),
  );
  const aligned = inners.every(({ value }) =>
    equalShapes(
      shapeOf(value).map((dim, i) => (i === axis ? 0 : dim)),
      whole.map((dim, i) => (i === axis ? 0 : dim)),
    ),
  );
  if (axis < 0 || !aligned) return undefined;
  const ordered: Value[] = [];
  let end: Dim = 0;
  while (ordered.length < inners.length) {
    const next = inners.find(
      ({ value, begins }) => equalDims(begins[axis]!, end) && !ordered.includes(value),
    );
    if (!next) return undefined;
    ordered.push(next.value);
    end = addDims(end, shapeOf(next.value)[axis]!);
  }
  return equalDims(end, whole[axis]!) ? concat(ordered, axis) : undefined;
}
