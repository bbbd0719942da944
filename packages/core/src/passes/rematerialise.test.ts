import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.js";
import { scattered } from "../autodiff/numbers.test-support.js";
import { nodeValues } from "../graph/builder.js";
import { createGraph, graphNodes, inputName, type Graph } from "../graph/graph.js";
import { shapeOf, type Node, type Value } from "../graph/node.js";
import { nodesInOrder } from "../graph/traverse.js";
import { verifyGraph } from "../graph/verify.js";
import * as ops from "../ops/index.js";
import { evaluateGraph } from "../reference/evaluate.js";
import { hostTensorFrom } from "../tensor/host-tensor.js";
import { symbolDim, type Dim } from "../tensor/dim.js";
import { elementCount, evaluateShape } from "../tensor/shape.js";
import { bindGraph } from "./bind.js";
import { deduplicateGraph } from "./deduplicate.js";
import { createFlowNetwork } from "./min-cut.js";
import { estimatePeakBytes } from "./peak-memory.js";
import { rematerialiseGraph } from "./rematerialise.js";
import { simplifyGraph } from "./simplify.js";

const sizes = { batch: 24 };
const batch: Dim = symbolDim("batch");

interface Example {
  readonly graph: Graph;
  readonly forward: readonly Value[];
}

/** Loss and gradients of all parameters below it. */
function trained(loss: Value): Example {
  const wrt = nodesInOrder([loss])
    .filter((node) => node.op === "parameter")
    .flatMap(nodeValues);
  const result = gradients({ outputs: [loss], wrt });
  // The last layer's first: in this order a gradient is done as soon as its cotangent is there.
  const named = Object.fromEntries(
    wrt.map(({ node }, i) => [`d ${inputName(node)}`, result.gradients[i]!] as const).toReversed(),
  );
  return {
    graph: createGraph("step", { loss: result.outputs[0]!, ...named }),
    forward: result.outputs,
  };
}

function linear(name: string, x: Value, outputs: number): Value {
  const inputs = shapeOf(x).at(-1) as number;
  const product = ops.matmul(x, ops.parameter(`${name}.weight`, [outputs, inputs]), {
    transposeB: true,
  });
  return ops.add(product, ops.parameter(`${name}.bias`, [outputs]));
}

function norm(name: string, x: Value): Value {
  const width = shapeOf(x).at(-1) as number;
  return ops.layerNorm(
    x,
    ops.parameter(`${name}.weight`, [width]),
    ops.parameter(`${name}.bias`, [width]),
  ).output;
}

function mlp(layers: number, activation: (x: Value) => Value = ops.gelu): Example {
  let x = ops.input("x", [batch, 16]);
  for (let i = 0; i < layers; i++) x = activation(linear(`layer${i}`, x, 16));
  return trained(ops.mean(ops.mul(x, x)));
}

/** A pre-norm block (Vaswani et al. 2017; open_clip's ResidualAttentionBlock). */
function block(name: string, x: Value): Value {
  const [, tokens, width] = shapeOf(x) as [Dim, number, number];
  const heads = (y: Value): Value =>
    ops.transpose(ops.reshape(y, [batch, tokens, 2, width / 2]), [0, 2, 1, 3]);
  const qkv = linear(`${name}.qkv`, norm(`${name}.ln_1`, x), 3 * width);
  const [query, key, value] = [0, 1, 2].map((i) => heads(ops.sliceAxis(qkv, 2, i * width, width)));
  const attended = ops.attention(query!, key!, value!).output;
  const merged = ops.reshape(ops.transpose(attended, [0, 2, 1, 3]), [batch, tokens, width]);
  const middle = ops.add(x, linear(`${name}.out`, merged, width));
  const hidden = ops.gelu(linear(`${name}.fc`, norm(`${name}.ln_2`, middle), 4 * width));
  return ops.add(middle, linear(`${name}.proj`, hidden, width));
}

function transformer(layers: number): Example {
  let x: Value = ops.input("x", [batch, 5, 8]);
  for (let i = 0; i < layers; i++) x = block(`block${i}`, x);
  return trained(ops.mean(ops.mul(x, x)));
}

function convnet(): Example {
  let x: Value = ops.input("x", [batch, 3, 8, 8]);
  for (let i = 0; i < 4; i++) {
    const filter = ops.parameter(`conv${i}`, [8, i === 0 ? 3 : 8, 3, 3]);
    const { output } = ops.batchNorm(
      ops.conv2d(x, filter, { padding: [1, 1, 1, 1] }),
      ops.parameter(`bn${i}.weight`, [8]),
      ops.parameter(`bn${i}.bias`, [8]),
    );
    x = ops.relu(output);
  }
  return trained(ops.mean(ops.mul(x, x)));
}

function feedsOf(graph: Graph) {
  return Object.fromEntries(
    graph.inputs.map((value, i) => {
      const shape = evaluateShape(shapeOf(value), sizes);
      return [
        inputName(value.node),
        hostTensorFrom("float32", shape, scattered(elementCount(shape), i + 1)),
      ];
    }),
  );
}

const values = (graph: Graph) =>
  Object.fromEntries(
    Object.entries(evaluateGraph(graph, feedsOf(graph))).map(([name, { data }]) => [
      name,
      [...data],
    ]),
  );
const peak = (graph: Graph): number => estimatePeakBytes(bindGraph(graph, sizes));
const isCopy = (node: Node): boolean => node.recompute === "backward";
const count = (graph: Graph, op: string): number =>
  graphNodes(graph).filter((node) => node.op === op).length;

const EXAMPLES: readonly (readonly [string, () => Example, number])[] = [
  ["an MLP", () => mlp(6), 0.7],
  ["transformer blocks", () => transformer(4), 0.7],
  ["a convolutional net", convnet, 0.65],
];

describe.each(EXAMPLES)("rematerialise on %s", (_, make, fraction) => {
  const { graph, forward } = make();
  const again = rematerialiseGraph(graph, { forward });

  it("keeps every result, bit for bit", () => {
    verifyGraph(again);
    expect(values(again)).toEqual(values(graph));
    expect(again.inputs).toEqual(graph.inputs);
  });

  it("lowers the peak of memory", () => {
    expect(peak(again)).toBeLessThan(fraction * peak(graph));
  });

  it("computes no contraction and no node more than once again", () => {
    for (const op of ["matmul", "conv2d", "attention"])
      expect(count(again, op)).toBe(count(graph, op));
    const forwardNodes = nodesInOrder(forward).length;
    const copies = graphNodes(again).filter((node) => isCopy(node) && node.op !== "after");
    expect(copies.length).toBeGreaterThan(0);
    expect(copies.length).toBeLessThan(forwardNodes);
  });

  it("lets every copy wait for a value that the backward part makes", () => {
    const forwardNodes = new Set(nodesInOrder(forward));
    const waiting = new Set<Node>();
    for (const node of graphNodes(again).filter(isCopy)) {
      if (node.op === "after") {
        const dependency = node.inputs[1]!.node;
        expect(forwardNodes.has(dependency)).toBe(false);
        expect(isCopy(dependency)).toBe(false);
        waiting.add(node);
      } else if (node.inputs.some((value) => waiting.has(value.node))) waiting.add(node);
      else expect.fail(`${node.op} waits for nothing`);
    }
  });

  it("is not undone by deduplicate and simplify", () => {
    const cleaned = deduplicateGraph(simplifyGraph(deduplicateGraph(again)));
    const copies = (g: Graph): number => graphNodes(g).filter(isCopy).length;
    expect(copies(cleaned)).toBeGreaterThan(0.5 * copies(again));
    expect(peak(cleaned)).toBeLessThan(fraction * peak(deduplicateGraph(graph)));
    expect(values(cleaned)).toEqual(values(graph));
  });
});

describe("rematerialise", () => {
  it("leaves alone what nobody saves by: one value in place of another of its size", () => {
    // tanh's derivative reads its result alone: keeping the product in its place would gain nothing.
    const { graph, forward } = mlp(3, ops.tanh);
    expect(rematerialiseGraph(graph, { forward })).toBe(graph);
  });

  it("recomputes chains of cheap ops together, from what is kept", () => {
    const x = ops.input("x", [batch, 32]);
    const weight = ops.parameter("w", [32, 32]);
    const scale = ops.parameter("s", [32]);
    const product = ops.matmul(x, weight);
    const chain = ops.relu(ops.exp(ops.mul(ops.add(product, 1), scale)));
    const out = ops.matmul(chain, ops.parameter("v", [32, 32]));
    const { graph, forward } = trained(ops.mean(ops.mul(out, out)));
    const again = rematerialiseGraph(graph, { forward });
    expect(values(again)).toEqual(values(graph));
    const afters = graphNodes(again).filter((node) => node.op === "after");
    expect(afters).toHaveLength(1);
    const copies = graphNodes(again)
      .filter(isCopy)
      .map((node) => node.op);
    expect(copies).toEqual(["after", "mul", "exp", "relu"]);
  });

  it("recomputes only what it is told to", () => {
    const { graph, forward } = transformer(1);
    const again = rematerialiseGraph(graph, {
      forward,
      recompute: ({ op }) => op === "gelu" || op === "reshape",
    });
    const copies = graphNodes(again).filter((node) => isCopy(node) && node.op !== "after");
    expect(copies.map((node) => node.op)).toEqual(["gelu", "reshape"]);
    expect(rematerialiseGraph(graph, { forward, recompute: () => false })).toBe(graph);
    expect(rematerialiseGraph(graph, { forward: [] })).toBe(graph);
  });

  it("lets factors of one layer wait for the cotangent that they are multiplied by", () => {
    const x = ops.input("x", [batch, 32]);
    const h = ops.matmul(x, ops.parameter("w", [32, 32]));
    const y = ops.mul(h, ops.exp(ops.neg(ops.mul(h, h))));
    const out = ops.matmul(y, ops.parameter("v", [32, 32]));
    const { graph, forward } = trained(ops.mean(ops.mul(out, out)));
    const again = rematerialiseGraph(graph, { forward });
    const products = new Set(
      graphNodes(again).filter(
        (node) => node.op === "matmul" && !nodesInOrder(forward).includes(node),
      ),
    );
    for (const node of graphNodes(again).filter(({ op }) => op === "after")) {
      // Not the loss, which is known long before.
      const behind = nodesInOrder([node.inputs[1]!]);
      expect(behind.length).toBeGreaterThan(nodesInOrder(forward).length);
    }
    expect(products.size).toBeGreaterThan(0);
    expect(values(again)).toEqual(values(graph));
  });
});

describe("createFlowNetwork", () => {
  it("cuts where capacities are least, and nearest to the sink among equals", () => {
    const network = createFlowNetwork();
    const [s, a, b, c, t] = Array.from({ length: 5 }, () => network.addVertex()) as [
      number,
      number,
      number,
      number,
      number,
    ];
    network.addEdge(s, a, Infinity);
    network.addEdge(a, b, 3);
    network.addEdge(b, c, 3);
    network.addEdge(c, t, Infinity);
    expect([...network.sinkSide(s, t)].sort()).toEqual([c, t]);
  });

  it("agrees with every cut of small networks", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const numbers = scattered(60, seed).map((x) => Math.floor(Math.abs(x) * 10));
      const size = 7;
      const edges = Array.from({ length: 14 }, (_, i) => ({
        from: numbers[3 * i]! % size,
        to: numbers[3 * i + 1]! % size,
        capacity: numbers[3 * i + 2]!,
      })).filter(({ from, to }) => from !== to);
      const network = createFlowNetwork();
      for (let i = 0; i < size; i++) network.addVertex();
      for (const { from, to, capacity } of edges) network.addEdge(from, to, capacity);
      const crossing = (inSink: (v: number) => boolean): number =>
        edges.reduce((sum, e) => sum + (!inSink(e.from) && inSink(e.to) ? e.capacity : 0), 0);
      const side = network.sinkSide(0, size - 1);
      expect(side.has(size - 1) && !side.has(0)).toBe(true);
      let least = Infinity;
      let smallest = Infinity;
      for (let bits = 0; bits < 2 ** size; bits++) {
        const inSink = (v: number): boolean => ((bits >> v) & 1) === 1;
        if (inSink(0) || !inSink(size - 1)) continue;
        const cost = crossing(inSink);
        const members = Array.from({ length: size }, (_, v) => v).filter(inSink).length;
        if (cost < least) [least, smallest] = [cost, members];
        else if (cost === least) smallest = Math.min(smallest, members);
      }
      expect(crossing((v) => side.has(v))).toBe(least);
      expect(side.size).toBe(smallest);
    }
  });

  it("carries flow through vertices it must go back over, and along deep paths", () => {
    const network = createFlowNetwork();
    const first = network.addVertex();
    let last = first;
    for (let i = 0; i < 50_000; i++) {
      const next = network.addVertex();
      network.addEdge(last, next, i === 25_000 ? 1 : 2);
      last = next;
    }
    expect(network.sinkSide(first, last).size).toBe(25_000);
  });
});
