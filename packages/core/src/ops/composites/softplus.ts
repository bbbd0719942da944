/** Softplus, in the form that neither overflows nor loses small values. */
import { buildValue } from "../../graph/builder.js";
import type { Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import type { CompositeAttrs } from "../composite-table.js";
import { abs, add, exp, log1p, max, mul, neg, sigmoid } from "../primitives/elementwise.js";
import { inferElementwise, onlyOperand } from "./operand-types.js";

export const softplusDef: CompositeDef<CompositeAttrs["softplus"]> = {
  kind: "composite",
  name: "softplus",
  infer: inferElementwise("softplus"),
  decompose: (inputs) => {
    const x = onlyOperand("softplus", inputs);
    return [add(max(x, 0), log1p(exp(neg(abs(x)))))];
  },
  // Two passes and nothing kept but x, where the decomposition's derivative would take nine.
  gradient: ({ inputs, cotangents: [dy] }) => [
    dy && mul(dy, sigmoid(onlyOperand("softplus", inputs))),
  ],
};

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|)); derivative σ(x). −log σ(x) is softplus(−x). @throws DtypeError unless x is float. */
export function softplus(x: Value): Value {
  return buildValue(softplusDef, [x], {});
}
