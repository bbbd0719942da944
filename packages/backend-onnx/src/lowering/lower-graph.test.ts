import {
  add,
  after,
  broadcast,
  createGraph,
  dimSize,
  input,
  layerNorm,
  matmul,
  mul,
  mulDims,
  neg,
  parameter,
  reshape,
  scalar,
  softmax,
  sum,
  symbolDim,
  withOrigin,
  type Value,
} from "@diptych/core";
import { PRIMITIVE_NAMES } from "@diptych/core/backend";
import { describe, expect, it } from "vitest";
import type { OnnxGraph } from "../model-proto/onnx-model.js";
import { lowerGraph, type LoweredGraph } from "./lower-graph.js";
import { COMPOSITE_LOWERINGS } from "./composites.js";
import { PRIMITIVE_LOWERINGS } from "./table.js";
import { CPU_TARGET, EXPORT_TARGET, type LoweringTarget } from "./target.js";

const lower = (outputs: Record<string, Value>, target: LoweringTarget = CPU_TARGET): LoweredGraph =>
  lowerGraph(createGraph("case", outputs), target);

const ops = ({ nodes }: OnnxGraph): string[] => nodes.map(({ op }) => op);

const n = symbolDim("n");

it("has a lowering for every primitive and for the composites that it claims", () => {
  expect(Object.keys(PRIMITIVE_LOWERINGS).sort()).toEqual([...PRIMITIVE_NAMES].sort());
  expect(Object.keys(COMPOSITE_LOWERINGS).sort()).toEqual([...CPU_TARGET.composites].sort());
});

describe("names", () => {
  it("gives the graph's names to the model's inputs and outputs", () => {
    const x = input("x", [n, 3]);
    const { model, outputNames } = lower({ y: neg(x) });
    expect(model.graph.inputs).toEqual([{ name: "x", dtype: "float32", shape: ["n", 3] }]);
    expect(model.graph.outputs).toEqual([{ name: "y", dtype: "float32", shape: ["n", 3] }]);
    expect(outputNames).toEqual(new Map([["y", "y"]]));
  });

  it("keeps apart an input and an output of one name, and copies what has a name already", () => {
    const w = parameter("w", [3]);
    const y = neg(w);
    const { model, outputNames } = lower({ w: y, again: y, given: w });
    expect(outputNames.get("w")).toBe("w.out");
    expect(ops(model.graph)).toEqual(["Neg", "Identity", "Identity"]);
    const names = model.graph.nodes.flatMap(({ outputs }) => outputs);
    expect(new Set(names).size).toBe(names.length);
  });

  it("leads from a node's name to its op and origin", () => {
    const x = input("x", [2, 2]);
    const y = withOrigin("visual", () => withOrigin("mlp", () => matmul(x, x)));
    const { model, describeNode } = lower({ y: neg(y) });
    expect(model.graph.nodes.map(({ name }) => describeNode(name))).toEqual([
      "core op matmul at visual/mlp",
      "core op neg at the graph's top",
    ]);
    expect(describeNode("MatMulAddFusion")).toBe("node MatMulAddFusion");
  });
});

describe("sizes", () => {
  it("needs no computation where a reshape keeps or leaves one open axis", () => {
    const x = input("x", [n, 5, 8]);
    const { model } = lower({ y: reshape(x, [n, 5, 2, 4]), z: reshape(x, [-1, 8]) });
    expect(ops(model.graph)).toEqual(["Reshape", "Reshape"]);
  });

  it("computes a size once", () => {
    const t = symbolDim("t");
    const x = input("x", [n, t]);
    const bias = (size: number): Value => broadcast(scalar(size), [n, t]);
    const { model } = lower({ a: bias(1), b: bias(2), c: dimSize(mulDims(3, n)), x });
    expect(ops(model.graph).filter((op) => op === "Shape").length).toBe(2);
  });

  it("refuses a symbol that no input tells", () => {
    expect(() => lower({ y: dimSize(n) })).toThrow("symbol n: expected an axis of an input");
    expect(() => lower({ y: broadcast(scalar(1), [n]) })).toThrow(
      "symbol n: expected an axis of an input that tells its size, got none (broadcast",
    );
  });
});

it("shares equal constants", () => {
  const x = input("x", [2]);
  const { model } = lower({ y: add(mul(x, 2), mul(add(x, 1), 2)) });
  expect(model.graph.initializers.length).toBe(2);
});

it("leaves broadcasts out that an elementwise op does itself", () => {
  const x = input("x", [4, 3]);
  const row = broadcast(sum(x, { axes: [0] }), [4, 3]);
  expect(ops(lower({ y: mul(x, row) }).model.graph)).not.toContain("Expand");
  expect(ops(lower({ y: neg(row) }).model.graph)).toContain("Expand");
  expect(ops(lower({ y: mul(row, row) }).model.graph)).toContain("Expand");
});

it("orders after by data, not by a node that an optimiser may drop", () => {
  const [x, late] = [input("x", [2]), input("late", [2])];
  const { model } = lower({ y: neg(after(x, mul(late, 2))) });
  const product = model.graph.nodes.findIndex(({ op }) => op === "Mul");
  const last = model.graph.nodes.filter(({ op }) => op === "Reshape").at(-1);
  expect(product).toBeGreaterThanOrEqual(0);
  expect(last?.inputs[0]).toBe("x");
  expect(model.graph.values).toEqual([{ name: last?.outputs[0], dtype: "float32", shape: [2] }]);
});

it("uses standard operators only for other tools", () => {
  const x = input("x", [n, 2, 3]);
  const y = matmul(x, x, { transposeB: true });
  expect(lower({ y }, EXPORT_TARGET).model.graph.nodes.every(({ domain }) => domain === "")).toBe(
    true,
  );
  expect(ops(lower({ y }).model.graph)).toEqual(["FusedMatMul"]);
});

it("refuses composites that it has no lowering for", () => {
  const x = input("x", [2, 3]);
  const norm = layerNorm(softmax(x), parameter("s", [3]), parameter("b", [3]));
  expect(ops(lower({ y: norm.output }).model.graph)).toEqual(["Softmax", "LayerNormalization"]);
});
