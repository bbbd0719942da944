/** Derivatives of products: each is a product again, with transpose flags and never a transposed copy. */
import { shapeOf } from "../../graph/node.js";
import {
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  matmul,
} from "../../ops/primitives/contraction.js";
import { binary, type Rule } from "../rule.js";

export const contractionRules = {
  matmul: binary(({ a, b, attrs: { transposeA, transposeB }, dy }) => [
    transposeA
      ? matmul(b, dy, { transposeA: transposeB, transposeB: true })
      : matmul(dy, b, { transposeB: !transposeB }),
    transposeB
      ? matmul(dy, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, dy, { transposeA: !transposeA }),
  ]),
  conv2d: binary(({ a: x, b: filter, attrs, dy }) => [
    conv2dInputGradient(dy, filter, shapeOf(x), attrs),
    conv2dFilterGradient(x, dy, shapeOf(filter), attrs),
  ]),
  // Both are linear in each operand, and conv2d's own adjoints.
  conv2dInputGradient: binary(({ a: image, b: filter, attrs, dy }) => [
    conv2d(dy, filter, attrs),
    conv2dFilterGradient(dy, image, shapeOf(filter), attrs),
  ]),
  conv2dFilterGradient: binary(({ a: x, b: image, attrs, dy }) => [
    conv2dInputGradient(image, dy, shapeOf(x), attrs),
    conv2d(x, dy, attrs),
  ]),
} satisfies {
  [Name in "matmul" | "conv2d" | "conv2dInputGradient" | "conv2dFilterGradient"]: Rule<Name>;
};
