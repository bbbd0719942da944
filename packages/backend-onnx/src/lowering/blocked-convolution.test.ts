import {
  conv2d,
  createGraph,
  gradients,
  input,
  inputName,
  symbolDim,
  type Dim,
  type Value,
} from "@diptych/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOnnxBackend } from "../onnx-backend.js";
import { expectAsReference, sample } from "./against-reference.test-support.js";
import { BLOCKED_DOMAIN } from "./blocked-convolution.js";
import { lowerGraph } from "./lower-graph.js";
import { CPU_TARGET } from "./target.js";

let backend: Awaited<ReturnType<typeof createOnnxBackend>>;
beforeAll(async () => {
  backend = await createOnnxBackend();
});
afterAll(() => backend.dispose());

interface Case {
  readonly batch?: Dim;
  readonly channels?: number;
  readonly outChannels?: number;
  readonly kernel?: number;
  readonly strides?: readonly [number, number];
  readonly padding?: readonly [number, number, number, number];
  readonly groups?: number;
}

function build(options: Case): Record<string, Value> {
  const { batch = 3, channels = 32, outChannels = 48, kernel = 3, groups = 1 } = options;
  const x = input("x", [batch, channels, 7, 6]);
  const filter = input("filter", [outChannels, channels / groups, kernel, kernel]);
  const { strides = [1, 1], padding = [1, 1, 1, 1] } = options;
  const y = conv2d(x, filter, { strides, padding, groups });
  if (typeof batch !== "number") return { y };
  const shape = y.node.outputs[0]?.shape ?? [];
  const cotangent = input("dy", shape);
  const { gradients: found } = gradients({
    outputs: [y],
    cotangents: [cotangent],
    wrt: [x, filter],
  });
  return { y, dx: found[0] as Value, dfilter: found[1] as Value };
}

const blockedNodes = (outputs: Record<string, Value>): number => {
  const { model } = lowerGraph(createGraph("case", outputs), { ...CPU_TARGET, channelBlock: 16 });
  return model.graph.nodes.filter((node) => node.domain === BLOCKED_DOMAIN && node.op === "Conv")
    .length;
};

describe("blocked convolutions", () => {
  const cases: readonly (readonly [string, Case])[] = [
    ["3×3", {}],
    ["3×3 with stride 2", { strides: [2, 2] }],
    ["asymmetric padding", { padding: [0, 1, 2, 0] }],
    ["1×1", { kernel: 1, padding: [0, 0, 0, 0] }],
    ["one sample", { batch: 1, channels: 16, outChannels: 16 }],
  ];

  it.each(cases)("%s: result and gradients are the reference's", async (_, options) => {
    const outputs = build(options);
    expect(blockedNodes(outputs)).toBeGreaterThan(0);
    const graph = createGraph("case", outputs);
    const feeds = Object.fromEntries(
      graph.inputs.map(({ node }, i) => {
        const shape = (node.outputs[0]?.shape ?? []) as readonly number[];
        return [inputName(node), sample(shape, i + 1)];
      }),
    );
    // Sums of up to 432 products of numbers in [-1, 1).
    await expectAsReference(backend, outputs, feeds, 2e-5);
  });

  it("leaves the others to the plain kernel", () => {
    expect(blockedNodes(build({ channels: 8 }))).toBe(0);
    expect(blockedNodes(build({ outChannels: 20 }))).toBe(0);
    expect(blockedNodes(build({ groups: 2 }))).toBe(0);
    expect(blockedNodes(build({ batch: symbolDim("batch") }))).toBe(0);
  });
});
