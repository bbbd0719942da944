/** Rectifier. */
import { buildValue } from "../../graph/builder.js";
import { dtypeOf, type Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import type { CompositeAttrs } from "../composite-table.js";
import { cast, greater, max, mul } from "../primitives/elementwise.js";
import { inferElementwise, onlyOperand, operandAt } from "./operand-types.js";

export const reluDef: CompositeDef<CompositeAttrs["relu"]> = {
  kind: "composite",
  name: "relu",
  infer: inferElementwise("relu"),
  decompose: (inputs) => [max(onlyOperand("relu", inputs), 0)],
  // Its own gradient, because the tie of max(x, 0) at 0 would give a half. y > 0 where x > 0, so x need not be kept.
  gradient: ({ outputs, cotangents: [dy] }) => {
    const y = operandAt("relu", outputs, 0);
    return [dy && mul(dy, cast(greater(y, 0), dtypeOf(y)))];
  },
};

/** max(x, 0), with derivative 0 at 0 (as PyTorch); NaN stays NaN. @throws DtypeError unless x is float. */
export function relu(x: Value): Value {
  return buildValue(reluDef, [x], {});
}
