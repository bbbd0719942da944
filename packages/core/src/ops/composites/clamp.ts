/** Clamp to a closed interval. */
import { ShapeError } from "../../errors.js";
import { buildValue } from "../../graph/builder.js";
import type { Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import type { CompositeAttrs } from "../composite-table.js";
import { greater, less, select } from "../primitives/elementwise.js";
import { inferElementwise, onlyOperand } from "./operand-types.js";

export const clampDef: CompositeDef<CompositeAttrs["clamp"]> = {
  kind: "composite",
  name: "clamp",
  infer: inferElementwise("clamp"),
  // Selections and not maxima: on a bound x itself is selected, so the derivative there is 1.
  decompose: (inputs, { low, high }) => {
    const x = onlyOperand("clamp", inputs);
    return [select(less(x, low), low, select(greater(x, high), high, x))];
  },
};

/**
 * x limited to [low, high]; derivative 1 inside and on the bounds (as PyTorch), 0 outside; NaN stays NaN.
 *
 * @throws ShapeError unless low ≤ high, DtypeError unless x is float.
 */
export function clamp(x: Value, low: number, high: number): Value {
  if (!(low <= high)) {
    throw new ShapeError(
      `core/clamp: bounds: expected low ≤ high, got low ${low} and high ${high}. Swap them.`,
    );
  }
  return buildValue(clampDef, [x], { low, high });
}
