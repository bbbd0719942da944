import { describe, expect, it } from "vitest";
import { InternalError, isDiptychError, ShapeError } from "../errors.js";
import * as ops from "../ops/index.js";
import { symbolDim } from "../tensor/dim.js";
import { hostTensorFrom } from "../tensor/host-tensor.js";
import { buildNode, nodeValues } from "./builder.js";
import { createGraph, graphNodes, inputName } from "./graph.js";
import { typeOf, type Node } from "./node.js";
import { atOrigin, withOrigin } from "./origin.js";
import { printGraph } from "./print.js";
import { nodesInOrder, readersOf, rewriteGraph, rewriteValues } from "./traverse.js";
import { verifyGraph } from "./verify.js";

const batch = symbolDim("batch");

describe("nodes", () => {
  it("are frozen, carry where they were built, and are never merged", () => {
    const x = ops.input("x", [batch]);
    const [a, b] = withOrigin("visual", () =>
      withOrigin("mlp", () => [ops.add(x, x), ops.add(x, x)] as const),
    );
    expect(a.node).not.toBe(b.node);
    expect(a.node.origin).toBe("visual/mlp");
    expect(Object.isFrozen(a.node) && Object.isFrozen(a.node.inputs)).toBe(true);
    expect(Object.isFrozen(a.node.attrs) && Object.isFrozen(a.node.outputs[0])).toBe(true);
    expect(nodeValues(a.node)[0]).toBe(a);
    expect(ops.add(x, x).node.origin).toBe("");
  });

  it("keep their origin to the builder that failed", () => {
    expect(() => withOrigin("broken", () => ops.reshape(ops.input("x", [2]), [3]))).toThrow();
    expect(ops.input("x", [2]).node.origin).toBe("");
    const node = atOrigin("here", "group", () => ops.input("x", [2])).node;
    expect([node.origin, node.recompute]).toEqual(["here", "group"]);
  });

  it("do not read outputs that do not exist", () => {
    const x = ops.input("x", [2]);
    expect(() => ops.neg({ node: x.node, index: 1 })).toThrow(
      /core\/neg: input: expected an existing output, got index 1/,
    );
    expect(() => typeOf({ node: x.node, index: 1 })).toThrow(RangeError);
  });
});

describe("createGraph", () => {
  it("finds its inputs in the outputs, each once", () => {
    const [x, y] = [ops.input("x", [2]), ops.input("y", [2])];
    const graph = createGraph("g", { sum: ops.add(ops.add(x, y), x) });
    expect(graph.inputs.map((value) => inputName(value.node))).toEqual(["x", "y"]);
    expect(createGraph("g", { x }, [y, x, y]).inputs).toEqual([y, x]);
    expect(graphNodes(createGraph("g", { x }, [x, y]))).toHaveLength(2);
  });

  it("refuses two inputs of one name, inputs left out, and what is no input", () => {
    const [x, other] = [ops.input("x", [2]), ops.input("x", [2])];
    const y = ops.neg(x);
    expect(() => createGraph("g", { sum: ops.add(x, other) })).toThrow(
      /expected distinct names, got "x" twice \(graph g\)/,
    );
    expect(() => createGraph("g", { y }, [])).toThrow(/got none for "x" \(graph g\). List it/);
    expect(() => createGraph("g", { y }, [other])).toThrow(ShapeError);
    expect(() => createGraph("g", { y }, [x, y])).toThrow(
      /expected input and parameter nodes, got neg/,
    );
    expect(() => createGraph("g", { y: { node: y.node, index: 2 } })).toThrow(
      /expected an existing value for "y", got output 2 of neg, which has 1/,
    );
    expect(() => inputName(y.node)).toThrow(InternalError);
  });
});

describe("printGraph", () => {
  it("prints a line per node with operands, types and origin", () => {
    const x = ops.input("x", [batch, 8]);
    const scale = ops.parameter("ln.weight", [8]);
    const bias = ops.parameter("ln.bias", [8]);
    const normal = withOrigin("visual/ln", () => ops.layerNorm(x, scale, bias));
    const table = ops.constant(hostTensorFrom("float16", [6], [1, 2, 0.5, -1, 9, 9]));
    const half = ops.sum(ops.cast(normal.output, "float16"), { axes: [1] });
    const again = atOrigin("", "backward", () => ops.mul(half, 2));
    const graph = createGraph("example", {
      y: again,
      invStd: normal.invStd,
      table,
      size: ops.dimSize(batch),
    });
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "graph example {
        %0 = input(name=x) : float32[batch, 8]
        %1 = parameter(name=ln.weight) : float32[8]
        %2 = parameter(name=ln.bias) : float32[8]
        %3 = layerNorm(%0, %1, %2, epsilon=0.00001) : float32[batch, 8], float32[batch, 1], float32[batch, 1]  // visual/ln
        %4 = cast(%3.0, dtype=float16) : float16[batch, 8]
        %5 = sum(%4, axes=[1], keepDims=false) : float16[batch]
        %6 = constant(value=float16[](2)) : float16[]  // recompute backward
        %7 = mul(%5, %6) : float16[batch]  // recompute backward
        %8 = constant(value=float16[6](1, 2, 0.5, -1, ...)) : float16[6]
        %9 = dimSize(dim=batch) : int32[]
        return y = %7
        return invStd = %3.2
        return table = %8
        return size = %9
      }"
    `);
  });
});

describe("verifyGraph", () => {
  const x = ops.input("x", [batch, 4]);
  const broken = (change: Partial<Node>): (() => void) => {
    const { node } = withOrigin("visual/head", () => ops.sum(x, { axes: [1] }));
    const [value] = nodeValues(Object.freeze({ ...node, ...change }));
    const graph = createGraph("g", { y: value! });
    return () => verifyGraph(graph, "pass clever");
  };

  it("accepts what builders make", () => {
    expect(broken({})).not.toThrow();
  });

  it("finds a type that the shape rule does not give", () => {
    const wrong = broken({ outputs: [{ shape: [batch, 4], dtype: "float32" }] });
    expect(wrong).toThrow(InternalError);
    expect(wrong).toThrow(
      /core\/pass clever: graph g: sum at "visual\/head": expected float32\[batch\], got float32\[batch, 4\]/,
    );
    expect(broken({ outputs: [{ shape: [batch], dtype: "float16" }] })).toThrow(/got float16/);
    expect(broken({ outputs: [...ops.neg(x).node.outputs, ...x.node.outputs] })).toThrow(
      /expected/,
    );
  });

  it("finds operands and attributes that do not fit, and unknown ops", () => {
    expect(broken({ inputs: [x, x] })).toThrow(/expected 1, got 2/);
    expect(broken({ attrs: { axes: [2], keepDims: false } })).toThrow(/expected ascending axes/);
    expect(broken({ op: "summ" })).toThrow(/Did you mean "sum"/);
  });

  it("finds an input that the graph does not list", () => {
    const y = ops.neg(x);
    const graph = { name: "g", inputs: [], outputs: { y } };
    expect(() => verifyGraph(graph)).toThrow(/input "x" is not listed/);
  });
});

describe("walking", () => {
  it("gives operands before readers, each node once, and leaves out what is below stops", () => {
    const x = ops.input("x", [2]);
    const a = ops.neg(x);
    const b = ops.mul(a, a);
    const c = ops.add(b, a);
    expect(nodesInOrder([c, b])).toEqual([x.node, a.node, b.node, c.node]);
    expect(nodesInOrder([c], new Set([b.node, a.node]))).toEqual([c.node]);
    const readers = readersOf(nodesInOrder([c]));
    expect(readers.get(a.node)).toEqual([b.node, c.node]);
    expect(readers.get(c.node)).toEqual([]);
  });

  it("rewrites operands first, keeps what did not change, and stops where told", () => {
    const x = ops.input("x", [2]);
    const a = ops.neg(x);
    const b = ops.exp(x);
    const c = ops.add(a, b);
    const lookup = rewriteValues([c], (node, [first]) =>
      node.op === "neg" ? [ops.abs(first!)] : undefined,
    );
    expect(lookup(c).node.inputs.map((value) => value.node.op)).toEqual(["abs", "exp"]);
    expect(lookup(b)).toBe(b);
    expect(rewriteValues([c], () => undefined)(c)).toBe(c);
    const stopped = rewriteValues([c], () => [x], new Set([c.node]));
    expect(stopped(c)).toBe(c);
    expect(() => lookup(ops.neg(x))).toThrow(/no replacement of output 0 of neg/);
  });

  it("is linear in a graph as deep as it is long, and needs no stack", () => {
    let value = ops.input("x", [2]);
    // Each reads the one before twice: a walk that came twice would never end.
    for (let i = 0; i < 100_000; i++) value = ops.add(value, value);
    const graph = createGraph("deep", { value });
    expect(graphNodes(graph)).toHaveLength(100_001);
    const rewritten = rewriteGraph(graph, (node, inputs) =>
      node.op === "add" ? [ops.mul(inputs[0]!, inputs[1]!)] : undefined,
    );
    expect(graphNodes(rewritten).filter((node) => node.op === "mul")).toHaveLength(100_000);
    verifyGraph(rewritten);
  });
});

describe("errors", () => {
  it("are recognised by code, also those of another copy of core", () => {
    class ShapeErrorOfAnotherCopy extends Error {
      readonly code = "SHAPE";
    }
    const foreign = new ShapeErrorOfAnotherCopy("core/add: …");
    expect(foreign).not.toBeInstanceOf(ShapeError);
    expect(isDiptychError(foreign)).toBe(true);
    expect(isDiptychError(foreign, "SHAPE")).toBe(true);
    expect(isDiptychError(foreign, "DTYPE")).toBe(false);
    expect(isDiptychError(Object.assign(new Error("no file"), { code: "ENOENT" }))).toBe(false);
    expect(isDiptychError({ code: "SHAPE" })).toBe(false);
    const made = new ShapeError("x", { cause: foreign });
    expect([made.name, made.code, made.cause]).toEqual(["ShapeError", "SHAPE", foreign]);
  });
});

it("values of several outputs have one identity each", () => {
  const x = ops.input("x", [2, 3]);
  const { node } = ops.layerNorm(x, ops.parameter("s", [3]), ops.parameter("b", [3])).output;
  expect(nodeValues(node)).toHaveLength(3);
  expect(nodeValues(node)[1]).toBe(nodeValues(node)[1]);
  const def = { kind: "primitive", name: "none", infer: () => [] } as const;
  expect(buildNode(def, [], {})).toEqual([]);
});
