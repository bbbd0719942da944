/** Derivatives of primitives that move entries: each moves them back. */
import { shapeOf } from "../../graph/node.js";
import { pad, reshape, slice, sliceAxis, transpose } from "../../ops/primitives/layout.js";
import { addDims, type Dim } from "../../tensor/dim.js";
import { unary, type Rule } from "../rule.js";

export const layoutRules = {
  reshape: unary(({ x, dy }) => reshape(dy, shapeOf(x))),
  transpose: unary(({ attrs: { permutation }, dy }) =>
    transpose(
      dy,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ),
  broadcast: unary(({ dy }) => dy),
  slice: unary(({ x, attrs: { begins }, dy }) => pad(dy, begins, shapeOf(x))),
  pad: unary(({ x, attrs: { begins }, dy }) => slice(dy, begins, shapeOf(x))),
  concat: (operands, { attrs: { axis }, dy }) => {
    let begin: Dim = 0;
    return operands.map((operand) => {
      const size = shapeOf(operand)[axis] ?? 0;
      const part = sliceAxis(dy, axis, begin, size);
      begin = addDims(begin, size);
      return part;
    });
  },
} satisfies {
  [Name in "reshape" | "transpose" | "broadcast" | "slice" | "pad" | "concat"]: Rule<Name>;
};
