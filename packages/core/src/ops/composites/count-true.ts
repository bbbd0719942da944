/** How many entries of a mask hold, over axes. */
import { DtypeError } from "../../errors.js";
import { buildValue } from "../../graph/builder.js";
import { rankOf, type Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import type { CompositeAttrs } from "../composite-table.js";
import { onlyType } from "../primitives/arity.js";
import { cast } from "../primitives/elementwise.js";
import { resolveAxes, sum, sumDef, type ReductionOptions } from "../primitives/reduction.js";
import { onlyOperand } from "./operand-types.js";

export const countTrueDef: CompositeDef<CompositeAttrs["countTrue"]> = {
  kind: "composite",
  name: "countTrue",
  infer: (types, attrs) => {
    const { dtype, shape } = onlyType("countTrue", types);
    if (dtype !== "bool")
      throw new DtypeError(`core/countTrue: mask: expected bool, got ${dtype}. Compare it first.`);
    return sumDef.infer([{ dtype: "float32", shape }], attrs);
  },
  decompose: (inputs, attrs) => [sum(cast(onlyOperand("countTrue", inputs), "float32"), attrs)],
};

/**
 * Number of true entries of `mask` over `axes` (all by default), in float32: exact up to 2²⁴. It has no derivative.
 *
 * @throws DtypeError unless `mask` is bool, ShapeError on an axis that it has not.
 */
export function countTrue(mask: Value, { axes, keepDims = false }: ReductionOptions = {}): Value {
  return buildValue(countTrueDef, [mask], {
    axes: resolveAxes(axes, rankOf(mask), "core/countTrue"),
    keepDims,
  });
}
