/** The Gaussian error linear unit: exact, by tanh, and by a sigmoid. Each gradient recomputes from x, in as few passes as it can. */
import { buildValue } from "../../graph/builder.js";
import type { Value } from "../../graph/node.js";
import type { CompositeDef } from "../../graph/op-def.js";
import { dtypeOf } from "../../graph/node.js";
import type { CompositeAttrs } from "../composite-table.js";
import { add, cast, div, erf, exp, mul, sigmoid, sub } from "../primitives/elementwise.js";
import { inferElementwise, onlyOperand } from "./operand-types.js";

export const geluDef: CompositeDef<CompositeAttrs["gelu"]> = {
  kind: "composite",
  name: "gelu",
  infer: inferElementwise("gelu"),
  decompose: (inputs) => {
    const x = onlyOperand("gelu", inputs);
    return [mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1))];
  },
  // Φ(x) + x·φ(x) = ½(1 + erf t + (2/√π)·t/exp(t²)) with t = x/√2. Dividing by exp(t²) saves a pass over multiplying by
  // exp(−t²); where it overflows the quotient is 0, as it should be.
  gradient: ({ inputs, cotangents: [dy] }) => {
    if (!dy) return [undefined];
    const t = mul(onlyOperand("gelu", inputs), Math.SQRT1_2);
    const density = mul(div(t, exp(mul(t, t))), 2 / Math.sqrt(Math.PI));
    return [mul(dy, mul(add(add(density, erf(t)), 1), 0.5))];
  },
};

/** ½(1 + tanh u) = σ(2u), u = √(2/π)(x + 0.044715 x³): 2u = x·(LINEAR + CUBIC·x²). */
const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = LINEAR * 0.044715;

export const geluTanhDef: CompositeDef<CompositeAttrs["geluTanh"]> = {
  kind: "composite",
  name: "geluTanh",
  infer: inferElementwise("geluTanh"),
  decompose: (inputs) => {
    const x = onlyOperand("geluTanh", inputs);
    return [mul(x, sigmoid(mul(x, add(mul(mul(x, x), CUBIC), LINEAR))))];
  },
  gradient: ({ inputs, cotangents: [dy] }) => {
    if (!dy) return [undefined];
    // The cube of a float16 overflows where the derivative is long constant.
    const x = cast(onlyOperand("geluTanh", inputs), "float32");
    const square = mul(x, x);
    const p = sigmoid(mul(x, add(mul(square, CUBIC), LINEAR)));
    const slope = mul(x, add(mul(square, 3 * CUBIC), LINEAR));
    const derivative = mul(p, add(mul(sub(1, p), slope), 1));
    return [mul(dy, cast(derivative, dtypeOf(dy)))];
  },
};

/** Slope of the sigmoid in OpenAI's CLIP. */
const QUICK = 1.702;

export const quickGeluDef: CompositeDef<CompositeAttrs["quickGelu"]> = {
  kind: "composite",
  name: "quickGelu",
  infer: inferElementwise("quickGelu"),
  decompose: (inputs) => {
    const x = onlyOperand("quickGelu", inputs);
    return [mul(x, sigmoid(mul(x, QUICK)))];
  },
  gradient: ({ inputs, cotangents: [dy] }) => {
    if (!dy) return [undefined];
    const z = mul(onlyOperand("quickGelu", inputs), QUICK);
    const p = sigmoid(z);
    return [mul(dy, mul(p, add(mul(sub(1, p), z), 1)))];
  },
};

/** x·Φ(x) with the normal distribution function by erf (Hendrycks and Gimpel 2016, arXiv 1606.08415); PyTorch's default. @throws DtypeError unless x is float. */
export function gelu(x: Value): Value {
  return buildValue(geluDef, [x], {});
}

/** ½x(1 + tanh(√(2/π)(x + 0.044715x³))), PyTorch's `approximate="tanh"` (arXiv 1606.08415, section 2). @throws DtypeError unless x is float. */
export function geluTanh(x: Value): Value {
  return buildValue(geluTanhDef, [x], {});
}

/** x·σ(1.702x), the activation of OpenAI's CLIP weights (arXiv 1606.08415, section 2). @throws DtypeError unless x is float. */
export function quickGelu(x: Value): Value {
  return buildValue(quickGeluDef, [x], {});
}
