/** Unit length along an axis, finite at zero. */
import { buildValue } from "../../graph/builder.js";
import { rankOf, type Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import { resolveAxis } from "../../tensor/shape.js";
import type { CompositeAttrs } from "../composite-table.js";
import { div, max, mul, sqrt } from "../primitives/elementwise.js";
import { sum } from "../primitives/reduction.js";
import { checkEpsilon, inFloat32, inferAlongAxis, onlyOperand } from "./operand-types.js";

export const l2NormalizeDef: CompositeDef<CompositeAttrs["l2Normalize"]> = {
  kind: "composite",
  name: "l2Normalize",
  infer: inferAlongAxis("l2Normalize"),
  decompose: (inputs, { axis, epsilon }) => [
    inFloat32(onlyOperand("l2Normalize", inputs), (x) => {
      const squares = sum(mul(x, x), { axes: [axis], keepDims: true });
      return div(x, sqrt(max(squares, epsilon ** 2)));
    }),
  ],
};

/** Below it ε² would be no normal float32, and zero vectors would divide by zero. */
const LEAST_EPSILON = 2 ** -63;

export interface L2NormalizeOptions {
  /** The last by default. */
  readonly axis?: number;
  /** Lower bound of the length, 1e-12 by default, as PyTorch's `normalize`. */
  readonly epsilon?: number;
}

/**
 * x/√max(Σx², ε²) along an axis, computed in float32. A zero vector gives zeros, and its gradient is finite (dy/ε):
 * the bound is on the square, because √0 has no derivative.
 *
 * @throws DtypeError unless x is float, ShapeError on another axis or an ε whose square float32 cannot hold.
 */
export function l2Normalize(
  x: Value,
  { axis = -1, epsilon = 1e-12 }: L2NormalizeOptions = {},
): Value {
  checkEpsilon("l2Normalize", epsilon, LEAST_EPSILON);
  const at = resolveAxis(axis, rankOf(x), "core/l2Normalize");
  return buildValue(l2NormalizeDef, [x], { axis: at, epsilon });
}
