import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.js";
import { createGraph, graphNodes, inputName, type Graph } from "../graph/graph.js";
import { dtypeOf, type Value } from "../graph/node.js";
import * as ops from "../ops/index.js";
import { symbolDim } from "../tensor/dim.js";
import { isFloat } from "../tensor/dtype.js";
import { deduplicate } from "./deduplicate.js";
import { legalizeGraph } from "./legalize.js";
import { createPrecisionPolicy, mixedPrecision } from "./mixed-precision.js";
import { runPasses } from "./pass.js";
import { randomGraph, resultsOf } from "./random-graph.test-support.js";
import { simplify } from "./simplify.js";

const batch = symbolDim("batch");
const policy = createPrecisionPolicy("float16");
const mixed = (graph: Graph): Graph => runPasses(graph, [mixedPrecision(policy)]);
const graphOf = (value: Value): Graph => createGraph("g", { y: value });
const x = ops.input("x", [batch, 8]);
const weight = ops.parameter("weight", [8, 8]);
const bias = ops.parameter("bias", [8]);
const half = ops.matmul(x, weight);

/** The dtype that an op of the graph computes in. */
function dtypeOfOp(graph: Graph, op: string): string {
  const found = new Set(
    graphNodes(mixed(graph))
      .filter((node) => node.op === op)
      .map((node) => node.inputs.map(dtypeOf).filter(isFloat).join(",")),
  );
  return [...found].join(" | ");
}

describe("mixedPrecision", () => {
  it("feeds contractions in 16 bits and keeps parameters, inputs and outputs in 32", () => {
    const image = ops.input("image", [batch, 3, 8, 8]);
    const filter = ops.parameter("filter", [4, 3, 3, 3]);
    const q = ops.reshape(half, [batch, 2, 1, 4]);
    const graph = mixed(
      createGraph("g", {
        conv: ops.conv2d(image, filter),
        attended: ops.attention(q, q, q).output,
        half,
      }),
    );
    for (const node of graphNodes(graph)) {
      if (["matmul", "conv2d", "attention"].includes(node.op))
        expect(node.inputs.map(dtypeOf).every((dtype) => dtype === "float16")).toBe(true);
      if (node.op === "parameter" || node.op === "input")
        expect(node.outputs[0]!.dtype).toBe("float32");
    }
    expect(Object.values(graph.outputs).map(dtypeOf)).toEqual(["float32", "float32", "float32"]);
    expect(graph.inputs.map(({ node }) => inputName(node))).toEqual([
      "image",
      "filter",
      "x",
      "weight",
    ]);
  });

  it.each<readonly [string, (y: Value) => Value]>([
    ["exp", ops.exp],
    ["log1p", ops.log1p],
    ["sum", (y) => ops.sum(y)],
    ["mean", (y) => ops.mean(y)],
    ["softmax", (y) => ops.softmax(y)],
    ["softplus", ops.softplus],
    ["l2Normalize", (y) => ops.l2Normalize(y)],
  ])("computes %s in float32", (op, make) => {
    expect(dtypeOfOp(graphOf(make(half)), op)).toBe("float32");
    const y = mixed(graphOf(make(half))).outputs["y"]!;
    expect([y.node.op, dtypeOf(y)]).toEqual([op, "float32"]);
  });

  it("computes reciprocals in float32, other quotients as their operands are", () => {
    expect(dtypeOfOp(graphOf(ops.div(1, half)), "div")).toBe("float32,float32");
    expect(dtypeOfOp(graphOf(ops.div(half, 2)), "div")).toBe("float16,float16");
    expect(dtypeOfOp(graphOf(ops.div(half, half)), "div")).toBe("float16,float16");
  });

  it("keeps a loss's products of features in float32, and its layers in 16 bits", () => {
    const rows = ops.l2Normalize(half);
    const similarities = ops.matmul(rows, rows, { transposeB: true });
    const layer = ops.matmul(similarities, ops.parameter("head", [batch, 8]));
    const graph = createGraph("g", { similarities, layer });
    const products = (features?: readonly Value[]): string[] =>
      graphNodes(
        runPasses(graph, [mixedPrecision(policy, features === undefined ? {} : { features })]),
      )
        .filter(({ op }) => op === "matmul")
        .map(({ outputs: [out] }) => out!.dtype);
    expect(products([half])).toEqual(["float16", "float32", "float16"]);
    expect(products()).toEqual(["float16", "float16", "float16"]);
    // A product within a tower, such as an attention that was written by hand, is a product as any other.
    expect(products([similarities])).toEqual(["float16", "float16", "float16"]);
  });

  it("lets the others follow their widest operand", () => {
    expect(dtypeOfOp(graphOf(ops.gelu(half)), "gelu")).toBe("float16");
    expect(dtypeOfOp(graphOf(ops.gelu(x)), "gelu")).toBe("float32");
    expect(dtypeOfOp(graphOf(ops.add(half, x)), "add")).toBe("float32,float32");
    expect(dtypeOfOp(graphOf(ops.mul(half, half)), "mul")).toBe("float16,float16");
    expect(dtypeOfOp(graphOf(ops.add(half, ops.exp(bias))), "add")).toBe("float32,float32");
    expect(dtypeOfOp(graphOf(ops.neg(weight)), "neg")).toBe("float32");
  });

  it("gives parameters and scalars no say, unless 16 bits do not hold the scalar", () => {
    expect(dtypeOfOp(graphOf(ops.add(half, bias)), "add")).toBe("float16,float16");
    const row = ops.reshape(ops.broadcast(bias, [1, 8]), [1, 8]);
    expect(dtypeOfOp(graphOf(ops.mul(half, row)), "mul")).toBe("float16,float16");
    expect(dtypeOfOp(graphOf(ops.mul(half, 0.5)), "mul")).toBe("float16,float16");
    expect(dtypeOfOp(graphOf(ops.add(half, 1e-12)), "add")).toBe("float32,float32");
    expect(dtypeOfOp(graphOf(ops.max(half, -1e30)), "max")).toBe("float32,float32");
    expect(dtypeOfOp(graphOf(ops.max(half, -Infinity)), "max")).toBe("float16,float16");
    const brain = createPrecisionPolicy("bfloat16");
    const graph = runPasses(graphOf(ops.add(half, 1e-12)), [mixedPrecision(brain)]);
    expect(graphNodes(graph).find(({ op }) => op === "add")!.outputs[0]!.dtype).toBe("bfloat16");
  });

  it("keeps casts and waits as they are written, and integers as integers", () => {
    const narrow = ops.cast(x, "float16");
    const y = ops.matmul(ops.cast(narrow, "float32"), weight);
    const wide = mixed(graphOf(ops.tanh(ops.cast(narrow, "float32"))));
    expect(wide.outputs["y"]!.node.inputs.map(dtypeOf)).toEqual(["float32"]);
    expect(dtypeOfOp(graphOf(y), "matmul")).toBe("float16,float16");
    const waiting = mixed(graphOf(ops.tanh(ops.after(half, x))));
    const after = graphNodes(waiting).find(({ op }) => op === "after")!;
    expect(after.inputs.map(dtypeOf)).toEqual(["float16", "float32"]);
    const ids = ops.take(weight, ops.input("ids", [batch], "int32"));
    expect(dtypeOf(mixed(graphOf(ops.argmax(ids, 1))).outputs["y"]!)).toBe("int32");
  });

  it("means the same as exact arithmetic", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const graph = randomGraph(seed);
      const before = resultsOf(graph, { batch: 3 });
      const after = resultsOf(mixed(graph), { batch: 3 });
      for (const [name, values] of Object.entries(before)) {
        // The reference does not round; only constants are, in composites that 16 bits reached.
        values.forEach((value, i) =>
          expect(Math.abs(after[name]![i]! - value)).toBeLessThanOrEqual(
            2e-3 * (1 + Math.abs(value)),
          ),
        );
      }
    }
  });
});

describe("the gradient of a mixed graph", () => {
  const hidden = ops.gelu(ops.add(half, bias));
  const out = ops.layerNorm(
    ops.matmul(hidden, weight),
    ops.parameter("scale", [8]),
    ops.parameter("shift", [8]),
  ).output;
  const forward = createGraph("forward", { loss: ops.mean(ops.mul(out, ops.tanh(out))) });

  function differentiated(graph: Graph): Graph {
    const wrt = graph.inputs.filter(({ node }) => node.op === "parameter");
    const { outputs, gradients: found } = gradients({ outputs: [graph.outputs["loss"]!], wrt });
    return createGraph("step", {
      loss: outputs[0]!,
      ...Object.fromEntries(wrt.map(({ node }, i) => [inputName(node), found[i]!])),
    });
  }

  it("is float32 for every parameter, with 16-bit contractions in both directions", () => {
    const step = runPasses(differentiated(mixed(forward)), [simplify, deduplicate]);
    expect(Object.values(step.outputs).map(dtypeOf)).toEqual(Array(5).fill("float32"));
    const products = graphNodes(step).filter(({ op }) => op === "matmul");
    const narrow = products.filter(({ inputs }) => inputs.every((v) => dtypeOf(v) === "float16"));
    expect(narrow).toHaveLength(5);
    // The two sums that the layer norm's gradient writes as products.
    expect(products.filter((node) => !narrow.includes(node)).map((node) => node.origin)).toEqual([
      "(gradient)",
      "(gradient)",
    ]);
  });

  it("has the values of the full-precision gradient, up to rounded constants", () => {
    const sizes = { batch: 4 };
    const full = resultsOf(differentiated(forward), sizes);
    const narrow = resultsOf(differentiated(mixed(forward)), sizes);
    for (const [name, values] of Object.entries(full)) {
      const largest = Math.max(...values.map(Math.abs));
      values.forEach((value, i) =>
        expect(Math.abs(narrow[name]![i]! - value)).toBeLessThan(5e-3 * largest),
      );
    }
  });

  it("is legal for a backend without composites", () => {
    const step = differentiated(mixed(forward));
    const legal = legalizeGraph(
      step,
      {
        nativeComposites: new Set(),
        dtypes: new Set(["float32", "float16", "int32", "bool"]),
        donation: false,
        imageLayout: "NCHW",
        deviceMemory: "host",
      },
      "test",
    );
    expect(resultsOf(legal, { batch: 2 })).toEqual(resultsOf(step, { batch: 2 }));
  });
});
