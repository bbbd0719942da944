/** Which 16-bit floats a device computes: found by trying, since ONNX Runtime does not tell what the GPU has. */
import { createGraph, input, matmul, cast, type DType, type Graph } from "@diptych/core";
import { inputName } from "@diptych/core/backend";
import { lowerGraph } from "./lowering/lower-graph.js";
import type { LoweringTarget } from "./lowering/target.js";
import { encodeModel } from "./model-proto/encode-model.js";
import type { OrtRuntime } from "./runtime/ort-runtime.js";

const ALWAYS: readonly DType[] = ["float32", "int32", "bool"];
const NARROW: readonly DType[] = ["float16", "bfloat16"];

/** Small whole numbers: exact in any float. */
const VALUES = [1, -2, 3, 4];
const PRODUCT = [-5, -10, 15, 10];

/** float32, int32 and bool, and each 16-bit float in which a product comes out right. */
export async function findNarrowFloats(
  runtime: OrtRuntime,
  target: LoweringTarget,
): Promise<ReadonlySet<DType>> {
  const found = new Set<DType>(ALWAYS);
  for (const dtype of NARROW) {
    if (await computes(runtime, target, dtype)) found.add(dtype);
  }
  return found;
}

async function computes(
  runtime: OrtRuntime,
  target: LoweringTarget,
  dtype: DType,
): Promise<boolean> {
  const x = cast(input("x", [2, 2]), dtype);
  const graph = createGraph(`${dtype}-probe`, { y: cast(matmul(x, x), "float32") });
  try {
    const product = await runProbe(runtime, target, graph);
    return product.every((value, i) => value === PRODUCT[i]);
  } catch {
    // No kernel for this dtype: float32 is always there.
    return false;
  }
}

async function runProbe(
  runtime: OrtRuntime,
  target: LoweringTarget,
  graph: Graph,
): Promise<Float32Array> {
  const lowered = lowerGraph(graph, target);
  const session = await runtime.createSession(encodeModel(lowered.model), {
    label: graph.name,
    config: { "session.disable_cpu_ep_fallback": "1" },
  });
  const fed = runtime.allocate("float32", [2, 2]);
  const output = runtime.allocate("float32", [2, 2]);
  try {
    await runtime.write(fed, new Uint8Array(Float32Array.from(VALUES).buffer));
    const inputs = graph.inputs.map(({ node }) => {
      const name = inputName(node);
      return [lowered.inputNames.get(name) ?? name, fed] as const;
    });
    await session.run(new Map(inputs), new Map([[lowered.outputNames.get("y") ?? "y", output]]));
    const product = new Float32Array(4);
    await runtime.read(output, new Uint8Array(product.buffer));
    return product;
  } finally {
    fed.dispose();
    output.dispose();
    await session.dispose();
  }
}
