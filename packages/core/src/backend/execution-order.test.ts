import { createGraph } from "../graph/graph.js";
import type { Value } from "../graph/node.js";
import { exp, mul, neg } from "../ops/primitives/elementwise.js";
import { input } from "../ops/primitives/leaves.js";
import { expect, it } from "vitest";
import { executionOrder } from "./execution-order.js";

const x = input("x", [2]);
const short = neg(x);
const middle = exp(exp(short));
const long = mul(exp(middle), short);

const ops = (outputs: Record<string, Value>): string[] =>
  executionOrder(createGraph("case", outputs)).map(({ op }) => op);

it("puts outputs of long chains first, whatever their names", () => {
  const side = neg(neg(x));
  expect(ops({ a: side, b: long })).toEqual([
    "input",
    "neg",
    "exp",
    "exp",
    "exp",
    "mul",
    "neg",
    "neg",
  ]);
  expect(ops({ a: long, b: side })).toEqual(ops({ a: side, b: long }));
});

it("has operands before their readers and each node once", () => {
  const nodes = executionOrder(createGraph("case", { short, middle, long }));
  expect(new Set(nodes).size).toBe(nodes.length);
  nodes.forEach((node, place) => {
    for (const { node: operand } of node.inputs) expect(nodes.indexOf(operand)).toBeLessThan(place);
  });
});
