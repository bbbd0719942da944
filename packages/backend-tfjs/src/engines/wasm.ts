/** Engine `wasm`: XNNPACK and TensorFlow.js's own kernels in WebAssembly, with SIMD, on one thread in Node. */
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { WASM_OVERRIDES } from "../lowering/wasm.js";
import { registerWasmKernels } from "../wasm-kernels/register.js";
import { createCoreEngine, enterEngine } from "./core-engine.js";
import type { Engine } from "./engine.js";

/**
 * Bytes of tensors. Its addresses have 32 bits, and an allocation that fails is written to all the same; what is left of
 * 4 GiB is for the packed copies that XNNPACK keeps of right operands and filters.
 */
const MEMORY_LIMIT = 2.5 * 2 ** 30;

/** Events for which Emscripten installs handlers that end the process. */
const PROCESS_EVENTS = ["uncaughtException", "unhandledRejection"] as const;

/** Runs `work` and takes away the process's handlers that came with it: errors are the application's to handle. */
async function withoutNewHandlers(work: () => Promise<void>): Promise<void> {
  const before = PROCESS_EVENTS.map((event) => process.listeners(event as "uncaughtException"));
  try {
    await work();
  } finally {
    PROCESS_EVENTS.forEach((event, i) => {
      for (const listener of process.listeners(event as "uncaughtException"))
        if (!before[i]!.includes(listener)) process.off(event, listener);
    });
  }
}

export async function openWasm(): Promise<Engine> {
  const core = await import("@tensorflow/tfjs-core");
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  // From the installed package, never from the network.
  const main = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(join(dirname(main), sep));
  await withoutNewHandlers(() => enterEngine(core, "wasm"));
  const simd = await core.env().getAsync("WASM_HAS_SIMD_SUPPORT");
  return createCoreEngine(core, {
    name: "wasm",
    description: `TensorFlow.js ${core.version_core}, wasm (${simd ? "SIMD, " : ""}${wasm.getThreadsCount()} thread)`,
    slow: false,
    deviceMemory: "host",
    synchronous: true,
    copiesUploads: true,
    copiesReads: true,
    memoryLimit: MEMORY_LIMIT,
    overrides: WASM_OVERRIDES,
    replacedKernels: registerWasmKernels(core),
  });
}
