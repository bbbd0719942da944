/**
 * The engines `node` and `node-gpu`: libtensorflow by way of tfjs-node's addon. Ops are called by name on tensors by
 * handle, without tfjs's own kernels between, so that bfloat16 and every op of TensorFlow are open.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { BackendCapabilities, DType } from "@diptych/core";
import type { Device } from "../executor/device.js";
import { loadTfjsNode } from "./load-addon.js";
import { createNodeDevice } from "./node-device.js";
import { TF_COMPOSITES } from "./table.js";
import type { TfTensor } from "./tf-ops.js";

export interface NodeEngine {
  readonly name: "node" | "node-gpu";
  readonly capabilities: BackendCapabilities;
  /** One line: versions, device, threads. */
  readonly description: string;
  readonly device: Device<TfTensor>;
}

/**
 * Loads TensorFlow.
 * @throws BackendError where tfjs-node is not installed, naming the command that brings it.
 */
export async function openNodeEngine({ gpu }: { readonly gpu: boolean }): Promise<NodeEngine> {
  const { binding, isGpu, version } = await loadTfjsNode(gpu);
  // NVIDIA's cards multiply it from compute capability 8.0 on; TensorFlow emulates it on older ones.
  const bfloat16 = isGpu || hasBfloat16(readCpuinfo());
  const where = isGpu ? "first GPU" : `${threadCount()} threads${bfloat16 ? ", bfloat16" : ""}`;
  return {
    name: gpu ? "node-gpu" : "node",
    capabilities: createCapabilities(bfloat16),
    description: `TensorFlow ${version.tensorflow} by tfjs-node ${version.tfjs}, ${where}`,
    device: createNodeDevice(binding),
  };
}

/** Whether the processor multiplies bfloat16 itself, by the instructions that Linux lists. */
export function hasBfloat16(cpuinfo: string): boolean {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? "";
  return /\b(?:avx512_bf16|amx_bf16)\b/.test(flags);
}

function readCpuinfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}

/** @param bfloat16 Whether the device multiplies it itself. */
export function createCapabilities(bfloat16: boolean): BackendCapabilities {
  const dtypes: DType[] = ["float32", "int32", "bool"];
  if (bfloat16) dtypes.push("bfloat16");
  return Object.freeze({
    nativeComposites: TF_COMPOSITES,
    dtypes: new Set(dtypes),
    donation: true,
    imageLayout: "NHWC",
    deviceMemory: "host",
  });
}

/** Threads within an op: TensorFlow takes every core unless told otherwise. */
function threadCount(): string {
  return process.env["TF_NUM_INTRAOP_THREADS"] ?? String(availableParallelism());
}
