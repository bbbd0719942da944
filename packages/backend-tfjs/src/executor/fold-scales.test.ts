import {
  add,
  conv2d,
  createGraph,
  graphNodes,
  hostTensorFrom,
  input,
  mul,
  parameter,
  symbolDim,
  type Graph,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { imageLayout, runPasses } from "@diptych/core/backend";
import { evaluateGraph } from "@diptych/core/reference";
import { expectClose } from "@diptych/testing";
import { expect, it } from "vitest";
import { foldScales } from "./fold-scales.js";

const x = input("x", [symbolDim("batch"), 2, 5, 5]);
const filter = parameter("filter", [4, 2, 3, 3]);
const scale = parameter("scale", [4, 1, 1]);
const shift = parameter("shift", [4, 1, 1]);
const weights = new Set(["filter", "scale", "shift"]);

function values(shape: readonly number[], from: number): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return hostTensorFrom(
    "float32",
    shape,
    Array.from({ length: size }, (_, i) => Math.sin(i + from)),
  );
}

const feeds = {
  x: values([2, 2, 5, 5], 1),
  filter: values([4, 2, 3, 3], 2),
  scale: values([4, 1, 1], 3),
  shift: values([4, 1, 1], 4),
};

/** Products that are computed in every run on something as large as a picture. */
const products = (graph: Graph): number =>
  graphNodes(graph).filter(({ op, outputs }) => op === "mul" && outputs[0]?.shape[2] === 3).length;

const norm = (y: Value): Graph => createGraph("norm", { y: add(mul(y, scale), shift) });

function expectSame(after: Graph, before: Graph): void {
  const expected = evaluateGraph(before, feeds);
  for (const [name, result] of Object.entries(evaluateGraph(after, feeds)))
    expectClose(result, expected[name]!, { relativeToLargest: 1e-12 });
}

it.each(["NCHW", "NHWC"] as const)("puts a scale into a fixed filter, in %s", (layout) => {
  const before = norm(conv2d(x, filter, {}));
  const after = runPasses(before, [imageLayout(layout), foldScales(weights)]);
  const scaled = graphNodes(after).filter(({ op }) => op === "mul");
  expect(scaled.map(({ outputs }) => outputs[0]?.shape)).toEqual([[4, 2, 3, 3]]);
  expectSame(after, before);
});

it("leaves what is fed, is used twice, or scales otherwise", () => {
  const y = conv2d(x, filter, {});
  const rows = parameter("scale", [3, 3]);
  const cases: readonly (readonly [Graph, ReadonlySet<string>])[] = [
    [norm(y), new Set(["filter", "shift"])],
    [norm(y), new Set(["scale", "shift"])],
    [createGraph("twice", { y: add(mul(y, scale), y) }), weights],
    [createGraph("an output", { y: mul(y, scale), plain: y }), weights],
    [createGraph("rows", { y: mul(y, rows) }), weights],
  ];
  for (const [graph, known] of cases) {
    const after = runPasses(graph, [foldScales(known)]);
    expect(products(after), graph.name).toBe(products(graph));
  }
});
