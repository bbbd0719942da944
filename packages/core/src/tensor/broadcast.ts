/** Broadcasting: shapes align at the end; a literal 1 (or a missing axis) stretches, symbols match only themselves. */
import { ShapeError } from "../errors.js";
import { equalDims, formatDim, type Dim } from "./dim.js";
import { createShape, formatShape, type Shape } from "./shape.js";

/** The shape both operands stretch to. @throws ShapeError naming the two dims that differ. */
export function broadcastShapes(what: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const dims: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (equalDims(left, right) || right === 1) dims.push(left);
    else if (left === 1) dims.push(right);
    else {
      throw new ShapeError(
        `${what}: shapes: expected ${formatShape(a)} and ${formatShape(b)} to broadcast, got ${formatDim(left)} against ${formatDim(right)} (axis ${i - rank}). Only a literal 1 stretches.`,
      );
    }
  }
  return createShape(dims);
}

/** An axis along which a shape was stretched, and whether the source had no such axis. */
export interface StretchedAxis {
  readonly axis: number;
  readonly missing: boolean;
}

/** The axes of `to` along which `from` was stretched. */
export function stretchedAxes(from: Shape, to: Shape): readonly StretchedAxis[] {
  const offset = to.length - from.length;
  const stretched: StretchedAxis[] = [];
  to.forEach((dim, axis) => {
    const missing = axis < offset;
    if (missing || (from[axis - offset] === 1 && dim !== 1)) stretched.push({ axis, missing });
  });
  return stretched;
}
