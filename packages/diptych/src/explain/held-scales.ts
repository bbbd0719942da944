/** A tower whose normalisers are held constant when it is differentiated, so that shares of a score add up to it. */
import {
  add,
  div,
  logSumExp,
  matmul,
  max,
  mean,
  mul,
  softmax,
  sqrt,
  stopGradient,
  sub,
  sum,
  type Value,
} from "@diptych/core";
import { rewriteValues, type Node } from "@diptych/core/backend";

const LAST = { axes: [-1], keepDims: true } as const;

/** Which normalisers: lengths and the deviations of layer norms, or also the probabilities of attention. */
export type HeldScales = "norms" | "attention";

/**
 * The same values, for autodiff: x/‖x‖ with ‖x‖ constant, (x − mean)·invStd with invStd constant, P·V with P constant.
 * A score that does not change with the length of x has a gradient at right angles to x: the shares G∘x of its parts
 * cancel, and those that speak for it cannot be told from those that fill the balance. Held constant, gradient times
 * feature conserves the score from layer to layer (Ali et al., ICML 2022, arXiv:2202.07304, section 3).
 *
 * @returns what each of `values`, and what they are made of, has become.
 */
export function holdScales(values: readonly Value[], held: HeldScales): (value: Value) => Value {
  return rewriteValues(values, (node, inputs) => {
    switch (node.op) {
      case "l2Normalize":
        return [heldLength(node, inputs)];
      case "layerNorm":
        return heldNorm(node, inputs);
      case "attention":
        return held === "attention" ? heldAttention(node, inputs) : undefined;
      default:
        return undefined;
    }
  });
}

function heldLength({ attrs }: Node, [x]: readonly Value[]): Value {
  const axis = Number(attrs["axis"]);
  const epsilon = Number(attrs["epsilon"]);
  const squares = sum(mul(x!, x!), { axes: [axis], keepDims: true });
  return div(x!, stopGradient(sqrt(max(squares, epsilon ** 2))));
}

/** The statistics keep their places; whoever reads them reads constants. */
function heldNorm({ attrs }: Node, [x, scale, bias]: readonly Value[]): readonly Value[] {
  const average = mean(x!, LAST);
  const centred = sub(x!, average);
  const variance = mean(mul(centred, centred), LAST);
  const invStd = stopGradient(div(1, sqrt(add(variance, Number(attrs["epsilon"])))));
  return [add(mul(mul(centred, invStd), scale!), bias!), average, invStd];
}

/** Masked attention stays as it is: towers of pictures have none. */
function heldAttention(node: Node, inputs: readonly Value[]): readonly Value[] | undefined {
  const [query, key, value, mask] = inputs;
  if (mask || node.attrs["causal"] === true) return undefined;
  const scores = mul(matmul(query!, key!, { transposeB: true }), Number(node.attrs["scale"]));
  const probabilities = stopGradient(softmax(scores));
  return [matmul(probabilities, value!), stopGradient(logSumExp(scores, { axis: -1 }))];
}
