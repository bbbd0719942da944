import { describe, expect, it } from "vitest";
import { InternalError, ShapeError, UnsupportedOpError } from "../errors.js";
import { buildValue } from "../graph/builder.js";
import { createGraph, graphNodes, inputName, type Graph } from "../graph/graph.js";
import { dtypeOf, shapeOf, type Value } from "../graph/node.js";
import { atOrigin } from "../graph/origin.js";
import { verifyGraph } from "../graph/verify.js";
import type { BackendCapabilities } from "../contracts/backend.js";
import * as ops from "../ops/index.js";
import { isPrimitiveName } from "../ops/primitive-table.js";
import { addDims, mulDims, subDims, symbolDim } from "../tensor/dim.js";
import { DTYPES } from "../tensor/dtype.js";
import { hostTensorFrom } from "../tensor/host-tensor.js";
import { bind, bindGraph } from "./bind.js";
import { deadCode, keepOutputs } from "./dead-code.js";
import { deduplicate, deduplicateGraph } from "./deduplicate.js";
import { expandComposites, legalizeGraph } from "./legalize.js";
import { runPasses } from "./pass.js";
import { estimatePeakBytes } from "./peak-memory.js";
import { prepareForBackend } from "./prepare.js";
import {
  outputShapes,
  randomGraph,
  resultsOf,
  unsignedZeros,
} from "./random-graph.test-support.js";
import { simplify, simplifyGraph } from "./simplify.js";

const batch = symbolDim("batch");
const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);
const sizes = { batch: 3 };

const capabilities = (
  nativeComposites: readonly string[],
  dtypes: BackendCapabilities["dtypes"] = new Set(DTYPES),
): BackendCapabilities => ({
  nativeComposites: new Set(nativeComposites),
  dtypes,
  donation: false,
  imageLayout: "NCHW",
  deviceMemory: "host",
});

const count = (graph: Graph, op?: string): number =>
  graphNodes(graph).filter((node) => op === undefined || node.op === op).length;
const graphOf = (value: Value): Graph => createGraph("g", { y: value });

describe("on random graphs, results stay", () => {
  it.each(SEEDS)("seed %i", (seed) => {
    const graph = randomGraph(seed);
    const before = resultsOf(graph, sizes);
    const bound = runPasses(graph, [bind(sizes)]);
    expect(resultsOf(bound, sizes)).toEqual(before);
    expect(count(bound, "dimSize") + count(bound, "iota")).toBe(0);

    const unique = runPasses(graph, [deduplicate]);
    expect(resultsOf(unique, sizes)).toEqual(before);
    expect(deduplicateGraph(unique)).toEqual(unique);

    const live = runPasses(graph, [deadCode(["out1", "out3"])]);
    expect(resultsOf(live, sizes)).toEqual({ out1: before["out1"], out3: before["out3"] });
    expect(live.inputs.map((value) => inputName(value.node))).not.toContain("unused");

    const simple = runPasses(graph, [simplify]);
    expect(unsignedZeros(resultsOf(simple, sizes))).toEqual(unsignedZeros(before));
    expect(outputShapes(simple)).toEqual(outputShapes(graph));
    expect(count(simple)).toBeLessThanOrEqual(count(graph));

    const primitive = prepareForBackend(graph, capabilities([]), "test");
    expect(graphNodes(primitive).every((node) => isPrimitiveName(node.op))).toBe(true);
    expect(unsignedZeros(resultsOf(primitive, sizes))).toEqual(unsignedZeros(before));

    const all = runPasses(primitive, [bind(sizes), simplify, deduplicate, deadCode()]);
    expect(unsignedZeros(resultsOf(all, sizes))).toEqual(unsignedZeros(before));
    expect(Object.keys(all.outputs)).toEqual(Object.keys(graph.outputs));
  });
});

describe("runPasses", () => {
  it("names the pass that broke the graph", () => {
    const x = ops.input("x", [2]);
    const wrong = {
      name: "clever",
      run: (graph: Graph): Graph => {
        const node = Object.freeze({
          ...ops.neg(x).node,
          outputs: [{ shape: [3], dtype: "float32" as const }],
        });
        return createGraph(graph.name, { y: { node, index: 0 } });
      },
    };
    expect(() => runPasses(graphOf(ops.abs(x)), [simplify, wrong])).toThrow(InternalError);
    expect(() => runPasses(graphOf(ops.abs(x)), [wrong])).toThrow(
      /core\/pass clever: graph g: neg/,
    );
  });
});

describe("bind", () => {
  it("turns sizes and positions into constants and keeps symbols that it is not given", () => {
    const tokens = symbolDim("tokens");
    const x = ops.input("x", [batch, tokens]);
    const graph = createGraph("g", {
      size: ops.dimSize(mulDims(2, batch)),
      positions: ops.iota(subDims(5, batch)),
      tokens: ops.dimSize(tokens),
      window: ops.slice(x, [addDims(batch, -1), 0], [1, tokens]),
    });
    const bound = runPasses(graph, [bind({ batch: 3 })]);
    expect(bound.outputs["size"]!.node.attrs["value"]).toMatchObject({ data: Int32Array.of(6) });
    expect(bound.outputs["positions"]!.node.attrs["value"]).toMatchObject({
      data: Int32Array.of(0, 1),
    });
    expect(bound.outputs["tokens"]!.node).toBe(graph.outputs["tokens"]!.node);
    expect(bound.outputs["window"]!.node.attrs["begins"]).toEqual([2, 0]);
    expect(shapeOf(bound.inputs[0]!)).toEqual([3, tokens]);
    expect(() => bindGraph(graph, { batch: 6 })).toThrow(/5-batch: expected a size of at least 0/);
  });

  it("gives back a graph without symbols as it is", () => {
    const y = ops.neg(ops.input("x", [2]));
    expect(bindGraph(graphOf(y), { batch: 3 }).outputs["y"]).toBe(y);
  });
});

describe("deduplicate", () => {
  const x = ops.input("x", [batch]);
  const constant = (values: readonly number[], dtype: "float32" | "float16" = "float32"): Value =>
    ops.constant(hostTensorFrom(dtype, [values.length], values));

  it("merges what is equal all the way down", () => {
    const twice = (): Value => ops.sum(ops.exp(ops.add(x, 1)));
    const graph = deduplicateGraph(graphOf(ops.add(twice(), twice())));
    expect(count(graph)).toBe(6);
    const { inputs } = graph.outputs["y"]!.node;
    expect(inputs[0]).toBe(inputs[1]);
  });

  it("keeps apart other attributes, operands, outputs and dtypes", () => {
    const apart = (a: Value, b: Value): boolean => {
      const { outputs } = deduplicateGraph(createGraph("g", { a, b }));
      return outputs["a"] !== outputs["b"];
    };
    expect(apart(ops.sub(x, ops.exp(x)), ops.sub(ops.exp(x), x))).toBe(true);
    expect(apart(ops.cast(x, "float16"), ops.cast(x, "bfloat16"))).toBe(true);
    expect(apart(ops.scalar(1), ops.scalar(1, "float16"))).toBe(true);
    expect(apart(constant([1]), ops.scalar(1))).toBe(true);
    expect(apart(ops.iota(batch), ops.iota(addDims(batch, 1)))).toBe(true);
    expect(apart(ops.exp(x), ops.exp(x))).toBe(false);
    expect(apart(ops.iota(batch), ops.iota(addDims(batch, 0)))).toBe(false);
    const m = ops.input("m", [2, 3]);
    const [s, b] = [ops.parameter("s", [3]), ops.parameter("b", [3])];
    const norm = ops.layerNorm(m, s, b);
    expect(apart(ops.neg(norm.mean), ops.neg(norm.invStd))).toBe(true);
    expect(apart(ops.neg(norm.mean), ops.neg(ops.layerNorm(m, s, b).mean))).toBe(false);
  });

  it("tells 0 from −0 in constants and attributes, and takes NaN for itself", () => {
    const merged = (a: Value, b: Value): boolean => {
      const { outputs } = deduplicateGraph(createGraph("g", { a, b }));
      return outputs["a"] === outputs["b"];
    };
    expect(merged(constant([0, 1]), constant([-0, 1]))).toBe(false);
    expect(merged(ops.clamp(x, 0, 1), ops.clamp(x, -0, 1))).toBe(false);
    expect(merged(constant([NaN]), constant([NaN]))).toBe(true);
    expect(merged(constant([0], "float16"), constant([-0], "float16"))).toBe(false);
  });

  it("compares large constants by identity only", () => {
    const values = new Array<number>(5000).fill(1);
    const tensor = hostTensorFrom("float32", [5000], values);
    const other = hostTensorFrom("float32", [5000], values);
    const graph = createGraph("g", {
      a: ops.constant(tensor),
      b: ops.constant(tensor),
      c: ops.constant(other),
    });
    const { a, b, c } = deduplicateGraph(graph).outputs;
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });

  it("leaves recompute groups and inputs apart", () => {
    const again = atOrigin("", "backward", () => ops.exp(x));
    const graph = deduplicateGraph(
      createGraph("g", { a: ops.exp(x), again, third: atOrigin("", "backward", () => ops.exp(x)) }),
    );
    expect(graph.outputs["a"]).not.toBe(graph.outputs["again"]);
    expect(graph.outputs["again"]).toBe(graph.outputs["third"]);
    const p = ops.parameter("x2", [batch]);
    expect(deduplicateGraph(createGraph("g", { x, p })).inputs).toHaveLength(2);
  });
});

describe("simplify", () => {
  const x = ops.input("x", [batch, 4]);
  const simple = (value: Value): Value => {
    const graph = simplifyGraph(graphOf(value));
    verifyGraph(graph);
    return graph.outputs["y"]!;
  };

  it.each<readonly [string, () => Value]>([
    ["x + 0", () => ops.add(x, 0)],
    ["0 + x", () => ops.add(0, x)],
    ["x − 0", () => ops.sub(x, 0)],
    ["x · 1", () => ops.mul(x, 1)],
    ["1 · x", () => ops.mul(1, x)],
    ["x / 1", () => ops.div(x, 1)],
    ["−(−x)", () => ops.neg(ops.neg(x))],
    [
      "the same shape",
      () =>
        buildValue(
          {
            kind: "primitive",
            name: "reshape",
            infer: () => [{ shape: shapeOf(x), dtype: "float32" }],
          },
          [x],
          { shape: shapeOf(x) },
        ),
    ],
    ["there and back", () => ops.reshape(ops.reshape(x, [-1]), [batch, 4])],
    ["transposed twice", () => ops.transpose(ops.transpose(x))],
    ["the identity permutation", () => ops.transpose(x, [0, 1])],
    ["the whole as a slice", () => ops.slice(x, [0, 0], [batch, 4])],
    ["no padding", () => ops.pad(x, [0, 0], [batch, 4])],
  ])("%s is x", (_, make) => {
    expect(simple(make())).toBe(x);
  });

  it("keeps what changes shape or value", () => {
    const one = ops.constant(hostTensorFrom("float32", [3, 1, 1], [1, 1, 1]));
    const single = ops.constant(hostTensorFrom("float32", [1, 1, 1], [1]));
    for (const value of [
      ops.mul(x, one),
      ops.mul(x, single),
      ops.sub(0, x),
      ops.div(1, x),
      ops.mul(x, 0),
      ops.transpose(x),
      ops.sub(x, x),
      ops.max(x, 0),
      ops.neg(ops.abs(x)),
    ])
      expect(simple(value)).toBe(value);
  });

  it("drops the sign of zero in x + 0 alone, as it says", () => {
    const negative = ops.constant(hostTensorFrom("float32", [1], [-0]));
    expect(resultsOf(graphOf(ops.add(negative, 0)), {})["y"]).toEqual([0]);
    expect(resultsOf(simplifyGraph(graphOf(ops.add(negative, 0))), {})["y"]).toEqual([-0]);
    for (const value of [ops.mul(negative, 1), ops.add(negative, -0), ops.sub(negative, 0)])
      expect(resultsOf(simplifyGraph(graphOf(value)), {})["y"]).toEqual([-0]);
  });

  it("folds scalars as their dtype rounds, and leaves overflow to the run", () => {
    const folded = (value: Value): unknown => {
      const { node } = simple(value);
      return node.op === "constant"
        ? (node.attrs["value"] as { data: ArrayLike<number> }).data[0]
        : node.op;
    };
    expect(folded(ops.add(0.1, 0.2))).toBe(Math.fround(Math.fround(0.1) + Math.fround(0.2)));
    expect(folded(ops.div(1, 3))).toBe(Math.fround(1 / 3));
    expect(folded(ops.div(1, 0))).toBe(Infinity);
    expect(folded(ops.max(ops.mul(2, 3), 5))).toBe(6);
    const int = (value: number): Value => ops.scalar(value, "int32");
    expect(folded(ops.mul(int(-3), int(0)))).toBe(0);
    expect(folded(ops.mul(int(2 ** 20), int(2 ** 20)))).toBe("mul");
    expect(folded(ops.div(int(7), int(2)))).toBe("div");
    expect(folded(ops.add(ops.scalar(1, "float16"), ops.scalar(2, "float16")))).toBe("add");
    expect(folded(ops.cast(int(7), "float16"))).toBe(hostTensorFrom("float16", [1], [7]).data[0]);
  });

  it("merges layout ops and casts", () => {
    const reshaped = simple(
      ops.reshape(
        ops.reshape(x, [-1]),
        [2, 2, -1].map((d) => (d === -1 ? batch : d)),
      ),
    );
    expect([reshaped.node.op, reshaped.node.inputs[0]]).toEqual(["reshape", x]);
    const y = ops.input("y", [2, 3, 4]);
    const turned = simple(ops.transpose(ops.transpose(y, [1, 2, 0]), [1, 2, 0]));
    expect(turned.node.inputs[0]).toBe(y);
    expect(shapeOf(turned)).toEqual([4, 2, 3]);
    const wide = simple(ops.broadcast(ops.broadcast(ops.input("w", [4]), [3, 4]), [2, 3, 4]));
    expect(wide.node.inputs[0]!.node.op).toBe("input");
    const half = ops.input("half", [2], "float16");
    expect(simple(ops.cast(ops.cast(half, "float32"), "float16"))).toBe(half);
    const rounded = ops.cast(ops.cast(x, "float16"), "float32");
    expect(simple(rounded)).toBe(rounded);
    const whole = ops.input("whole", [2], "int32");
    const back = ops.cast(ops.cast(whole, "float32"), "int32");
    expect(simple(back)).toBe(back);
  });
});

describe("deadCode", () => {
  it("keeps an input that alone shows the size of a symbol", () => {
    const [x, y, z] = ["x", "y", "z"].map((name) => ops.input(name, [batch]));
    const graph = createGraph("g", { size: ops.dimSize(batch), z: ops.neg(z!) }, [x!, y!, z!]);
    expect(keepOutputs(graph, ["size"]).inputs).toEqual([x]);
    expect(keepOutputs(graph, ["z"]).inputs).toEqual([z]);
    expect(keepOutputs(graph).inputs).toEqual([z]);
  });

  it("names the nearest output", () => {
    const graph = createGraph("g", { loss: ops.input("x", []) });
    expect(() => keepOutputs(graph, ["los"])).toThrow(ShapeError);
    expect(() => keepOutputs(graph, ["los"])).toThrow(/got "los". Did you mean "loss"/);
  });
});

describe("legalize", () => {
  const x = ops.input("x", [batch, 8]);

  it("expands nested composites but those that the backend has", () => {
    // attention is made of softmax, which is made of primitives.
    const heads = ops.input("q", [batch, 2, 5, 4]);
    const graph = graphOf(ops.attention(heads, heads, heads, { causal: true }).output);
    const some = legalizeGraph(graph, capabilities(["softmax"]), "test");
    expect([count(some, "attention"), count(some, "softmax")]).toEqual([0, 1]);
    const none = legalizeGraph(graph, capabilities([]), "test");
    expect(graphNodes(none).every((node) => isPrimitiveName(node.op))).toBe(true);
    const all = legalizeGraph(graph, capabilities(["attention", "softmax"]), "test");
    expect(all.outputs["y"]).toBe(graph.outputs["y"]);
    expect(resultsOf(none, sizes)).toEqual(resultsOf(graph, sizes));
  });

  it("keeps origins and recompute groups", () => {
    const graph = graphOf(atOrigin("visual/mlp", "backward", () => ops.gelu(x)));
    for (const node of graphNodes(expandComposites(graph, () => false))) {
      if (node.op === "input") continue;
      expect([node.origin, node.recompute]).toEqual(["visual/mlp", "backward"]);
    }
  });

  it("refuses a dtype that the backend does not have, naming the node", () => {
    const graph = graphOf(atOrigin("visual/ln", "", () => ops.cast(x, "bfloat16")));
    const simple = capabilities([], new Set(["float32", "int32"] as const));
    expect(() => legalizeGraph(graph, simple, "onnx")).toThrow(UnsupportedOpError);
    expect(() => legalizeGraph(graph, simple, "onnx")).toThrow(
      /backend onnx has \(float32, int32\), got bfloat16 \(cast at "visual\/ln"\)/,
    );
  });

  it("is linear in the graph", () => {
    let value: Value = x;
    for (let i = 0; i < 3000; i++) value = ops.softmax(ops.gelu(value));
    const started = performance.now();
    const graph = expandComposites(graphOf(value), () => false);
    expect(count(graph)).toBeGreaterThan(30_000);
    // Seconds, where a walk below every composite would take hours.
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(dtypeOf(graph.outputs["y"]!)).toBe("float32");
  });
});

describe("estimatePeakBytes", () => {
  const x = ops.input("x", [10]);

  it("counts what is alive at once, by hand", () => {
    // a lives until c: 40 (a) + 40 (b), then 40 + 40 + 40 with c, whose operands die after it.
    const a = ops.exp(x);
    const b = ops.neg(a);
    const c = ops.add(a, b);
    expect(estimatePeakBytes(graphOf(a))).toBe(40);
    expect(estimatePeakBytes(graphOf(b))).toBe(80);
    expect(estimatePeakBytes(graphOf(c))).toBe(120);
    expect(estimatePeakBytes(graphOf(ops.exp(ops.exp(ops.exp(b)))))).toBe(80);
    expect(estimatePeakBytes(graphOf(x))).toBe(0);
  });

  it("keeps outputs to the end, and counts dtypes", () => {
    const a = ops.cast(x, "float16");
    const b = ops.neg(a);
    const late = ops.exp(ops.exp(x));
    // 20 (a) + 20 (b) stay while 40 + 40 are alive.
    expect(estimatePeakBytes(createGraph("g", { a, b, late }))).toBe(120);
  });

  it("gives views for free, over their owner's memory", () => {
    const a = ops.exp(x);
    const view = ops.reshape(ops.stopGradient(ops.after(a, x)), [2, 5]);
    expect(estimatePeakBytes(graphOf(view))).toBe(40);
    const b = ops.neg(view);
    // The owner lives until the view's reader is done, and no longer.
    expect(estimatePeakBytes(graphOf(ops.exp(ops.exp(b))))).toBe(80);
    expect(estimatePeakBytes(graphOf(ops.reshape(x, [2, 5])))).toBe(0);
  });

  it("takes another order, in which more may be alive", () => {
    const [a, b] = [ops.exp(x), ops.neg(x)];
    const graph = createGraph("g", { a: ops.sum(a), b: ops.sum(b) });
    const [sumA, sumB] = Object.values(graph.outputs).map(({ node }) => node);
    expect(estimatePeakBytes(graph)).toBe(48);
    const together = [x.node, a.node, b.node, sumA!, sumB!];
    expect(estimatePeakBytes(graph, together)).toBe(84);
  });

  it("leaves out outputs that are written elsewhere", () => {
    const [x, outputs] = [ops.input("x", [10]), "elsewhere"] as const;
    const kept = ops.neg(x);
    const graph = createGraph("g", { kept, other: ops.neg(ops.exp(kept)) });
    expect(estimatePeakBytes(graph)).toBe(120);
    expect(estimatePeakBytes(graph, undefined, { outputs })).toBe(40);
  });

  it("asks for numbers", () => {
    expect(() => estimatePeakBytes(graphOf(ops.neg(ops.input("y", [batch]))))).toThrow(
      /Bind batch first/,
    );
  });
});
