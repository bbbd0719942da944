/** Derivatives of indexing: what was taken is added where it came from. */
import { dtypeOf, shapeOf } from "../../graph/node.js";
import { scatterAdd, takeAlong } from "../../ops/primitives/indexing.js";
import { broadcast, reshape } from "../../ops/primitives/layout.js";
import { shapeSize } from "../../tensor/shape.js";
import { binary, ternary, type Rule } from "../rule.js";
import { zerosLike } from "../zeros.js";

export const indexingRules = {
  take: binary(({ a: x, b: indices, attrs: { axis }, dy }) => {
    const shape = shapeOf(x);
    const count = shapeSize(shapeOf(indices));
    const rows = shape.map((dim, i) => (i === axis ? count : dim));
    const aligned = reshape(
      indices,
      shape.map((_, i) => (i === axis ? count : 1)),
    );
    return [
      scatterAdd(zerosLike(x, dtypeOf(dy)), broadcast(aligned, rows), reshape(dy, rows), axis),
      undefined,
    ];
  }),
  takeAlong: binary(({ a: x, b: indices, attrs: { axis }, dy }) => [
    scatterAdd(zerosLike(x, dtypeOf(dy)), indices, dy, axis),
    undefined,
  ]),
  scatterAdd: ternary(({ b: indices, attrs: { axis }, dy }) => [
    dy,
    undefined,
    takeAlong(dy, indices, axis),
  ]),
} satisfies { [Name in "take" | "takeAlong" | "scatterAdd"]: Rule<Name> };
