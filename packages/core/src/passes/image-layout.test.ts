import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.js";
import { scattered } from "../autodiff/numbers.test-support.js";
import { ShapeError } from "../errors.js";
import { createGraph, graphNodes, inputName, type Graph } from "../graph/graph.js";
import { shapeOf, type Value } from "../graph/node.js";
import * as ops from "../ops/index.js";
import { evaluateGraph } from "../reference/evaluate.js";
import { symbolDim } from "../tensor/dim.js";
import { DTYPES } from "../tensor/dtype.js";
import { hostTensorFrom } from "../tensor/host-tensor.js";
import { elementCount, evaluateShape } from "../tensor/shape.js";
import { deduplicate } from "./deduplicate.js";
import { imageLayout, moveImages } from "./image-layout.js";
import { runPasses } from "./pass.js";
import { prepareForBackend } from "./prepare.js";
import { simplify } from "./simplify.js";

const batch = symbolDim("batch");
const sizes = { batch: 2 };
const x = ops.input("x", [batch, 3, 6, 5]);
const filter = (name: string, outputs: number, inputs: number, size = 3): Value =>
  ops.parameter(name, [outputs, inputs, size, size]);
const same = { padding: [1, 1, 1, 1] } as const;

const moved = (graph: Graph): Graph =>
  runPasses(graph, [imageLayout("NHWC"), simplify, deduplicate]);
const count = (graph: Graph, op: string): number =>
  graphNodes(graph).filter((node) => node.op === op).length;
const graphOf = (value: Value): Graph => createGraph("g", { y: value });

function results(graph: Graph): Record<string, readonly number[]> {
  const feeds = Object.fromEntries(
    graph.inputs.map((value, i) => {
      const shape = evaluateShape(shapeOf(value), sizes);
      const numbers = scattered(elementCount(shape), i + 1);
      return [inputName(value.node), hostTensorFrom("float32", shape, numbers)];
    }),
  );
  const found = evaluateGraph(graph, feeds);
  return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, [...data]]));
}

/** Sums may be taken in another order. */
function expectSame(after: Graph, before: Graph): void {
  const expected = results(before);
  for (const [name, values] of Object.entries(results(after))) {
    expect(values.length).toBe(expected[name]!.length);
    values.forEach((value, i) => expect(value).toBeCloseTo(expected[name]![i]!, 9));
  }
  for (const [name, value] of Object.entries(before.outputs))
    expect(shapeOf(after.outputs[name]!)).toEqual(shapeOf(value));
}

/** What each kind of node between convolutions may be. */
const between: readonly (readonly [string, (y: Value) => Value])[] = [
  ["relu", (y) => ops.relu(y)],
  ["a bias [C, 1, 1]", (y) => ops.add(y, ops.parameter("b", [4, 1, 1]))],
  ["a bias [1, C, 1, 1]", (y) => ops.mul(ops.parameter("b", [1, 4, 1, 1]), y)],
  ["a scalar", (y) => ops.mul(y, 0.5)],
  ["select", (y) => ops.select(ops.less(y, 0), ops.mul(y, 0.1), y)],
  [
    "a stretched column",
    (y) => ops.add(y, ops.broadcast(ops.parameter("r", [4, 1, 1]), [batch, 4, 6, 5])),
  ],
  ["casts", (y) => ops.cast(ops.cast(ops.gelu(y), "float16"), "float32")],
  [
    "padding and slicing",
    (y) => ops.slice(ops.pad(y, [0, 1, 2, 0], [batch, 6, 9, 5]), [0, 1, 1, 0], [batch, 4, 6, 5]),
  ],
  ["concat", (y) => ops.sliceAxis(ops.concat([y, ops.neg(y)], 1), 1, 2, 4)],
  ["norm statistics", (y) => ops.sub(y, ops.mean(y, { axes: [0, 2, 3], keepDims: true }))],
  [
    "statistics without kept axes",
    (y) => ops.sub(y, ops.reshape(ops.sum(y, { axes: [0, 2, 3] }), [1, 4, 1, 1])),
  ],
  ["batch norm", (y) => ops.batchNorm(y, ops.parameter("s", [4]), ops.parameter("t", [4])).output],
  ["a wait", (y) => ops.after(ops.stopGradient(y), ops.exp(y))],
];

describe("imageLayout", () => {
  it("moves a native batch norm with its picture; its statistics stay vectors", () => {
    const norm = (y: Value) => ops.batchNorm(y, ops.parameter("s", [4]), ops.parameter("t", [4]));
    const { output, mean, variance } = norm(ops.conv2d(x, filter("f", 4, 3), same));
    const before = createGraph("g", {
      y: ops.conv2d(output, filter("g", 4, 4), same),
      mean: ops.mul(mean, 2),
      variance,
    });
    const after = moved(before);
    const norms = graphNodes(after).filter(({ op }) => op === "batchNorm");
    expect(norms.map(({ attrs }) => attrs["layout"])).toEqual(["NHWC"]);
    expect(count(after, "transpose")).toBe(2);
    expectSame(after, before);
  });

  it.each(between)("has two transposes around conv → %s → conv", (name, op) => {
    const first = ops.conv2d(x, filter("f", 4, 3), same);
    const graph = prepareForBackend(
      graphOf(ops.conv2d(op(first), filter("g", 4, 4), same)),
      {
        nativeComposites: new Set(["relu", "gelu", "mean"]),
        dtypes: new Set(DTYPES),
        donation: false,
        imageLayout: "NCHW",
        deviceMemory: "host",
      },
      "test",
    );
    const after = moved(graph);
    expect(count(after, "transpose"), name).toBe(2);
    expectSame(after, graph);
  });

  it("leaves filters and the graph's own inputs and outputs in their order", () => {
    const graph = graphOf(ops.conv2d(x, filter("f", 4, 3), { strides: [2, 1], ...same }));
    const after = moved(graph);
    expect(after.inputs).toEqual(graph.inputs);
    const conv = graphNodes(after).find(({ op }) => op === "conv2d")!;
    expect(conv.attrs).toMatchObject({ layout: "NHWC", strides: [2, 1] });
    expect(conv.outputs[0]!.shape).toEqual([batch, 3, 5, 4]);
    expect(conv.inputs[1]).toBe(graph.outputs["y"]!.node.inputs[1]);
    expectSame(after, graph);
  });

  it("joins branches: a residual block has none inside", () => {
    const first = ops.relu(ops.conv2d(x, filter("f", 4, 3), same));
    const inner = ops.conv2d(
      ops.relu(ops.conv2d(first, filter("g", 4, 4), same)),
      filter("h", 4, 4),
      same,
    );
    const graph = graphOf(ops.relu(ops.add(inner, first)));
    const after = moved(graph);
    expect(count(after, "transpose")).toBe(2);
    expectSame(after, graph);
  });

  it("pools in place, and leaves by way of a global mean without a transpose", () => {
    const pooled = ops.avgPool2d(ops.conv2d(x, filter("f", 4, 3), same), 2);
    const graph = graphOf(ops.mean(pooled, { axes: [2, 3] }));
    const after = moved(graph);
    expect(count(after, "transpose")).toBe(1);
    expect(graphNodes(after).find(({ op }) => op === "avgPool2d")!.attrs["layout"]).toBe("NHWC");
    expectSame(after, graph);
    // Its decomposition and its gradient know the layout too.
    expectSame(moved(graphOf(pooled)), graphOf(pooled));
  });

  it("turns a picture into tokens without a transpose where the model wants channels last", () => {
    const patches = ops.conv2d(x, filter("f", 4, 3, 2), { strides: [2, 2] });
    const graph = graphOf(ops.reshape(ops.transpose(patches, [0, 2, 3, 1]), [batch, 6, 4]));
    const after = moved(graph);
    expect(count(after, "transpose")).toBe(1);
    expectSame(after, graph);
  });

  it("goes back where an op wants the old order", () => {
    const y = ops.conv2d(x, filter("f", 4, 3), same);
    const graph = createGraph("g", {
      flat: ops.reshape(y, [batch, -1]),
      sum: ops.sum(y, { axes: [0] }),
      rows: ops.softmax(y, 1),
      turned: ops.transpose(y, [3, 0, 2, 1]),
      y,
    });
    const after = moved(graph);
    // In, out (shared by flat, sum, rows and y), and the turn itself.
    expect(count(after, "transpose")).toBe(3);
    expectSame(after, graph);
  });

  it("does nothing to graphs without pictures or for backends that want NCHW", () => {
    const graph = graphOf(ops.softmax(ops.relu(x)));
    expect(moveImages(graph).outputs["y"]).toBe(graph.outputs["y"]);
    const conv = graphOf(ops.conv2d(x, filter("f", 4, 3)));
    expect(imageLayout("NCHW").run(conv)).toBe(conv);
  });

  it("keeps grouped, strided, unevenly padded convolutions and their gradients", () => {
    const odd = { strides: [2, 1], padding: [0, 1, 1, 0], groups: 2 } as const;
    const first = ops.relu(ops.conv2d(x, filter("f", 4, 3), same));
    const y = ops.avgPool2d(ops.conv2d(first, filter("g", 6, 2), odd), [1, 2]);
    const loss = ops.mean(ops.mul(y, ops.tanh(y)));
    const wrt = createGraph("g", { loss }).inputs;
    const { outputs, gradients: found } = gradients({ outputs: [loss], wrt });
    const graph = createGraph("step", {
      loss: outputs[0]!,
      ...Object.fromEntries(wrt.map(({ node }, i) => [`d${inputName(node)}`, found[i]!])),
    });
    const after = moved(graph);
    expectSame(after, graph);
    const layouts = graphNodes(after)
      .filter(({ op }) => op.startsWith("conv2d") || op === "avgPool2d")
      .map(({ attrs }) => attrs["layout"]);
    expect(layouts.length).toBeGreaterThanOrEqual(6);
    expect(layouts.every((layout) => layout === "NHWC")).toBe(true);
    // x comes in, its gradient goes out.
    expect(count(after, "transpose")).toBe(2);
  });
});

describe("NHWC convolutions", () => {
  it("check their shapes", () => {
    const nhwc = ops.input("p", [batch, 6, 5, 3]);
    const f = filter("f", 4, 3);
    expect(shapeOf(ops.conv2d(nhwc, f, { layout: "NHWC" }))).toEqual([batch, 4, 3, 4]);
    expect(() => ops.conv2d(x, f, { layout: "NHWC" })).toThrow(ShapeError);
  });

  it("have derivatives in their own layout", () => {
    const nhwc = ops.input("p", [batch, 6, 5, 3]);
    const f = filter("f", 4, 3);
    const y = ops.conv2d(nhwc, f, { layout: "NHWC" });
    const { gradients: found } = gradients({ outputs: [ops.sum(ops.mul(y, y))], wrt: [nhwc, f] });
    expect(found.map(shapeOf)).toEqual([shapeOf(nhwc), shapeOf(f)]);
    const planar = ops.transpose(nhwc, [0, 3, 1, 2]);
    const z = ops.conv2d(planar, f);
    const { gradients: same } = gradients({ outputs: [ops.sum(ops.mul(z, z))], wrt: [nhwc, f] });
    const name = (values: readonly Value[]) => createGraph("g", { dx: values[0]!, df: values[1]! });
    expectSame(name(found), name(same));
  });
});
