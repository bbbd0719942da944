/** Mean over axes; the count may be symbolic. */
import { buildValue } from "../../graph/builder.js";
import { rankOf, shapeOf, type Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import { mulDims, type Dim } from "../../tensor/dim.js";
import type { Shape } from "../../tensor/shape.js";
import type { CompositeAttrs } from "../composite-table.js";
import { cast, div, type Operand } from "../primitives/elementwise.js";
import { dimSize } from "../primitives/leaves.js";
import { sum, sumDef, resolveAxes, type ReductionOptions } from "../primitives/reduction.js";
import { floatType, inFloat32, onlyOperand } from "./operand-types.js";

/** Number of entries along `axes`, as a dim. */
export function countAlong(shape: Shape, axes: readonly number[]): Dim {
  return mulDims(...axes.map((axis) => shape[axis] ?? 1));
}

/** A dim as a float32 operand: a number, or its size once it is bound. */
export function countOperand(dim: Dim): Operand {
  return typeof dim === "number" ? dim : cast(dimSize(dim), "float32");
}

export const meanDef: CompositeDef<CompositeAttrs["mean"]> = {
  kind: "composite",
  name: "mean",
  infer: (types, attrs) => {
    floatType("mean", types);
    return sumDef.infer(types, attrs);
  },
  decompose: (inputs, { axes, keepDims }) => {
    const x = onlyOperand("mean", inputs);
    const count = countOperand(countAlong(shapeOf(x), axes));
    return [inFloat32(x, (wide) => div(sum(wide, { axes, keepDims }), count))];
  },
};

/**
 * Mean of x over `axes` (all by default). 16-bit floats are added up in float32. NaN over an empty axis.
 *
 * @throws DtypeError unless x is float, ShapeError on an axis that x has not.
 */
export function mean(x: Value, { axes, keepDims = false }: ReductionOptions = {}): Value {
  return buildValue(meanDef, [x], { axes: resolveAxes(axes, rankOf(x), "core/mean"), keepDims });
}
