/** The block of channels that this machine's blocked convolutions use: found by trying, since ONNX Runtime does not tell. */
import { conv2d, createGraph, hostTensorFrom, input, type Graph } from "@diptych/core";
import { inputName } from "@diptych/core/backend";
import { lowerGraph } from "./lowering/lower-graph.js";
import { CPU_TARGET } from "./lowering/target.js";
import { encodeModel } from "./model-proto/encode-model.js";
import type { OrtRuntime } from "./runtime/ort-runtime.js";

/** Floats in a vector register: AVX-512, then AVX and NEON builds. */
const CANDIDATES = [16, 8];

/** Whole numbers, so that every order of summation gives the same result. */
const X_SHAPE = [2, 32, 5, 5];
const FILTER_SHAPE = [32, 32, 3, 3];
const small = (size: number, step: number): number[] =>
  Array.from({ length: size }, (_, i) => ((i * step) % 7) - 3);

/**
 * 16 or 8 where convolutions of that block give what plain ones give; 0 where this build of ONNX Runtime has no blocked
 * convolutions.
 */
export async function findChannelBlock(runtime: OrtRuntime): Promise<number> {
  const graph = createGraph("channel-block", {
    y: conv2d(input("x", X_SHAPE), input("filter", FILTER_SHAPE), { padding: [1, 1, 1, 1] }),
  });
  const plain = await runProbe(runtime, graph, 0);
  for (const block of CANDIDATES) {
    try {
      const blocked = await runProbe(runtime, graph, block);
      if (blocked.every((value, i) => value === plain[i])) return block;
    } catch {
      // No such operators, or not for this block: the plain convolution is always there.
    }
  }
  return 0;
}

async function runProbe(runtime: OrtRuntime, graph: Graph, block: number): Promise<Float32Array> {
  const lowered = lowerGraph(graph, { ...CPU_TARGET, channelBlock: block });
  const session = await runtime.createSession(encodeModel(lowered.model), { label: graph.name });
  const values: Readonly<Record<string, number[]>> = {
    x: small(2 * 32 * 25, 5),
    filter: small(32 * 32 * 9, 3),
  };
  const inputs = new Map(
    graph.inputs.map(({ node }) => {
      const name = inputName(node);
      const shape = name === "x" ? X_SHAPE : FILTER_SHAPE;
      const tensor = runtime.allocate("float32", shape);
      const { data } = hostTensorFrom("float32", shape, values[name] ?? []);
      tensor.view().set(new Uint8Array(data.buffer));
      return [lowered.inputNames.get(name) ?? name, tensor] as const;
    }),
  );
  const output = runtime.allocate("float32", X_SHAPE);
  try {
    await session.run(inputs, new Map([[lowered.outputNames.get("y") ?? "y", output]]));
    const bytes = output.view().slice();
    return new Float32Array(bytes.buffer);
  } finally {
    for (const tensor of inputs.values()) tensor.dispose();
    output.dispose();
    await session.dispose();
  }
}
