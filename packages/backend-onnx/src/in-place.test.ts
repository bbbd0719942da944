import {
  abs,
  add,
  createGraph,
  exp,
  matmul,
  mul,
  neg,
  parameter,
  reshape,
  sub,
  sum,
  transpose,
  type Value,
} from "@diptych/core";
import { expect, it } from "vitest";
import { createInPlaceCheck } from "./in-place.js";
import { lowerGraph } from "./lowering/lower-graph.js";
import { CPU_TARGET } from "./lowering/target.js";

const w = parameter("w", [4, 4]);
const v = parameter("v", [4, 4]);

/** Whether output y may take w's memory. */
function mayReplaceW(y: Value, others: Readonly<Record<string, Value>> = {}): boolean {
  const { model } = lowerGraph(createGraph("case", { y, ...others }), CPU_TARGET);
  return createInPlaceCheck(model.graph)("w", "y");
}

it("allows an elementwise update that reads the input last", () => {
  expect(mayReplaceW(sub(w, mul(v, 0.1)))).toBe(true);
  expect(mayReplaceW(sub(mul(w, 0.9), mul(v, 0.1)))).toBe(true);
  expect(mayReplaceW(neg(w))).toBe(true);
});

it("allows a write by a node that no longer needs the input", () => {
  expect(mayReplaceW(matmul(exp(w), v))).toBe(true);
});

it("allows it where every other reader is computed before", () => {
  expect(mayReplaceW(sub(w, mul(v, sum(abs(w)))))).toBe(true);
});

it("refuses while another node still reads the input, also through a reshape", () => {
  expect(mayReplaceW(sub(w, v), { seen: exp(w) })).toBe(false);
  expect(mayReplaceW(sub(w, v), { seen: exp(reshape(w, [16])) })).toBe(false);
  expect(mayReplaceW(sub(w, v), { w })).toBe(false);
});

it("refuses nodes that write an entry before they have read the others", () => {
  expect(mayReplaceW(matmul(w, v))).toBe(false);
  expect(mayReplaceW(transpose(w))).toBe(false);
});

it("refuses nodes that ONNX Runtime may drop", () => {
  expect(mayReplaceW(reshape(exp(w), [4, 4]))).toBe(true);
  expect(mayReplaceW(add(exp(w), 0), { seen: abs(w) })).toBe(false);
  expect(mayReplaceW(reshape(neg(reshape(w, [16])), [4, 4]))).toBe(false);
});

it("refuses outputs that no node makes", () => {
  expect(mayReplaceW(w)).toBe(false);
});
