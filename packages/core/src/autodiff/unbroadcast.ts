/** The transpose of broadcasting: sums a cotangent over the axes along which an operand was stretched. */
import { shapeOf, type Value } from "../graph/node.js";
import { reshape } from "../ops/primitives/layout.js";
import { sum } from "../ops/primitives/reduction.js";
import { stretchedAxes } from "../tensor/broadcast.js";
import { mulDims } from "../tensor/dim.js";
import { equalShapes, type Shape } from "../tensor/shape.js";

/**
 * `cotangent` summed to `shape`. Leading axes are flattened to rows and summed over axis 0, the form (a bias's gradient)
 * that backends turn into a product with ones.
 */
export function unbroadcast(cotangent: Value, shape: Shape): Value {
  const from = shapeOf(cotangent);
  if (equalShapes(from, shape)) return cotangent;
  const axes = stretchedAxes(shape, from).map(({ axis }) => axis);
  // Axes of size 1 go along for free: [1, batch, width] to [width] is a sum of rows, too.
  const leading = axes.length > 0 && axes.every((axis, i) => axis === i);
  const summed =
    leading && axes.length < from.length
      ? sum(
          reshape(cotangent, [
            mulDims(...from.slice(0, axes.length)),
            mulDims(...from.slice(axes.length)),
          ]),
          { axes: [0] },
        )
      : sum(cotangent, { axes });
  return reshape(summed, shape);
}
