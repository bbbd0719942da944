/**
 * Kernels of ours for WebAssembly, registered with TensorFlow.js as its own are, under names of ours: other users of the
 * engine in this process keep what they have.
 */
import type { KernelConfig } from "@tensorflow/tfjs-core";
import type { TfCore } from "../lowering/kernels.js";
import { batchProduct } from "./batch-product.js";
import { columnSums } from "./column-sums.js";
import { compare } from "./compare.js";
import { GAUSSIAN_KERNELS } from "./gaussian.js";
import { INDEXED_KERNELS } from "./indexed.js";
import { MOVEMENT_KERNELS } from "./movement.js";
import type { WasmKernel } from "./wasm-memory.js";

const KERNELS: Readonly<Record<string, WasmKernel>> = {
  ...MOVEMENT_KERNELS,
  ...INDEXED_KERNELS,
  ...GAUSSIAN_KERNELS,
  BatchProduct: batchProduct,
  ColumnSums: columnSums,
  Compare: compare,
};

/** Registers the kernels; from the name that lowerings use to the name of the kernel that stands in its place. */
export function registerWasmKernels(core: TfCore): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(KERNELS).map(([name, kernelFunc]) => {
      const kernelName = `Diptych${name}`;
      const config = { kernelName, backendName: "wasm", kernelFunc };
      // A second copy of this package, or a second backend, finds those of the first.
      const known = core.getKernel(kernelName, "wasm") as KernelConfig | undefined;
      if (!known) core.registerKernel(config as unknown as KernelConfig);
      return [name, kernelName];
    }),
  );
}
