/** Shapes: frozen lists of dims, their text, sizes and equality. */
import { ShapeError } from "../errors.js";
import {
  bindDim,
  equalDims,
  evaluateDim,
  formatDim,
  isSymbolic,
  mulDims,
  type Dim,
  type DimBinding,
} from "./dim.js";

export type Shape = readonly Dim[];

/** A frozen shape. @throws ShapeError on a size that is negative or no integer. */
export function createShape(dims: readonly Dim[]): Shape {
  for (const dim of dims) {
    if (typeof dim === "number" && (!Number.isInteger(dim) || dim < 0)) {
      throw new ShapeError(
        `core/createShape: dim: expected an integer of at least 0, got ${dim} (in ${formatShape(dims)}).`,
      );
    }
  }
  return Object.freeze([...dims]);
}

export function formatShape(shape: Shape): string {
  return `[${shape.map(formatDim).join(", ")}]`;
}

export function equalShapes(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => equalDims(dim, b[i] ?? -1));
}

/** Number of elements, as a dim. */
export function shapeSize(shape: Shape): Dim {
  return mulDims(...shape);
}

export function bindShape(shape: Shape, binding: DimBinding): Shape {
  return createShape(shape.map((dim) => bindDim(dim, binding)));
}

export function evaluateShape(shape: Shape, binding: DimBinding): readonly number[] {
  return shape.map((dim) => evaluateDim(dim, binding));
}

/** The numbers of a shape without symbols. @throws ShapeError naming the symbolic shape and `what` needed it. */
export function staticShape(shape: Shape, what: string): readonly number[] {
  return shape.map((dim) => {
    if (isSymbolic(dim)) {
      throw new ShapeError(
        `${what}: shape: expected numbers, got ${formatShape(shape)}. Bind ${formatDim(dim)} first.`,
      );
    }
    return dim;
  });
}

/** Non-negative axis for an axis that may count from the end. @throws ShapeError outside [-rank, rank). */
export function resolveAxis(axis: number, rank: number, what: string): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new ShapeError(`${what}: axis: expected an integer in [${-rank}, ${rank}), got ${axis}.`);
  }
  return resolved;
}

/** Row-major strides in elements. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  }
  return strides;
}

/** Number of elements of a shape of numbers. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
