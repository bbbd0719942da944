/** Whether this machine's 8-bit products lose large sums: found by trying, since ONNX Runtime does not tell. */
import { encodeModel } from "../model-proto/encode-model.js";
import type { OnnxModel, OnnxTensor } from "../model-proto/onnx-model.js";
import type { OrtRuntime } from "../runtime/ort-runtime.js";

const [ROWS, INNER, COLUMNS] = [4, 64, 64];

function constant(
  name: string,
  dtype: "uint8" | "int8",
  values: ArrayBuffer,
  shape: readonly number[],
): OnnxTensor {
  return { name, dtype, shape, bytes: new Uint8Array(values) };
}

/** 255·127 in every place, so that the sum of two products is beyond 16 bits. */
function probeModel(): OnnxModel {
  return {
    opset: 18,
    metadata: {},
    graph: {
      name: "saturation",
      nodes: [
        {
          name: "x",
          op: "Expand",
          domain: "",
          inputs: ["one", "shape"],
          outputs: ["codes"],
          attributes: {},
        },
        {
          name: "product",
          op: "MatMulInteger",
          domain: "",
          inputs: ["codes", "weight"],
          outputs: ["y"],
          attributes: {},
        },
      ],
      initializers: [
        constant("one", "uint8", Uint8Array.of(255).buffer, [1, 1]),
        constant("weight", "int8", new Int8Array(INNER * COLUMNS).fill(127).buffer, [
          INNER,
          COLUMNS,
        ]),
      ],
      inputs: [{ name: "shape", dtype: "int64", shape: [2] }],
      outputs: [{ name: "y", dtype: "int32", shape: ["rows", COLUMNS] }],
      values: [],
    },
  };
}

/** True on x86 without VNNI, whose fastest kernels add pairs of products in 16 bits. */
export async function findSaturation(runtime: OrtRuntime): Promise<boolean> {
  const session = await runtime.createSession(encodeModel(probeModel()), { label: "saturation" });
  const shape = runtime.allocate("int64", [2]);
  shape.view().set(new Uint8Array(BigInt64Array.of(BigInt(ROWS), BigInt(INNER)).buffer));
  const y = runtime.allocate("int32", [ROWS, COLUMNS]);
  try {
    await session.run(new Map([["shape", shape]]), new Map([["y", y]]));
    const sums = new Int32Array(y.view().slice().buffer);
    return sums.some((sum) => sum !== 255 * 127 * INNER);
  } finally {
    shape.dispose();
    y.dispose();
    await session.dispose();
  }
}
