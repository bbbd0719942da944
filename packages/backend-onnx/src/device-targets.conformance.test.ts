// What is lowered for a device, computed by the CPU's kernels: in float16 the graphs of the providers are well typed and
// right also where no GPU has such kernels. (bfloat16 and the kernels themselves show on a device only.)
import { describeBackendConformance } from "@diptych/testing";
import type { DType } from "@diptych/core";
import { CUDA_TARGET, WEBGPU_TARGET } from "./lowering/target.js";
import { openBackend } from "./onnx-backend.js";
import { createOrtRuntime } from "./runtime/ort-runtime.js";

const dtypes: ReadonlySet<DType> = new Set<DType>(["float32", "float16", "int32", "bool"]);

for (const [name, target] of Object.entries({ cuda: CUDA_TARGET, webgpu: WEBGPU_TARGET })) {
  describeBackendConformance({
    name: `onnx, lowered for ${name}, on the CPU`,
    create: async () =>
      openBackend(
        await createOrtRuntime({ adapter: "capi" }),
        { threads: 2 },
        { ...target, dtypes },
      ),
    large: false,
  });
}
