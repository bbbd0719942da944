/**
 * The engines `node` and `node-gpu`: libtensorflow by way of tfjs-node's addon. Ops are called by name on tensors by
 * handle, without tfjs's own kernels between, so that bfloat16 and every op of TensorFlow are open.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import {
  createHostTensor,
  InternalError,
  type Attrs,
  type BackendCapabilities,
  type DType,
  type HostTensor,
} from "@diptych/core";
import type { Call, Engine, EngineName, ResultType } from "../engines/engine.js";
import { readTensor, uploadHost } from "./host-values.js";
import { loadTfjsNode, type TfjsNode } from "./load-addon.js";
import { TF_COMPOSITES, tfLoweringOf } from "./table.js";
import { TfOps, type TfTensor } from "./tf-ops.js";

export interface NodeEngineOptions {
  readonly gpu: boolean;
}

/** @throws BackendError where tfjs-node is not installed, naming the command that brings it. */
export async function openNodeEngine({ gpu }: NodeEngineOptions): Promise<Engine<TfTensor>> {
  return createNodeEngine(gpu ? "node-gpu" : "node", await loadTfjsNode(gpu));
}

/** Whether this machine's processor multiplies bfloat16 itself, as the kernel lists its instructions. */
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

function createCapabilities(bfloat16: boolean): BackendCapabilities {
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

/** An engine on a loaded addon. */
export function createNodeEngine(name: EngineName, loaded: TfjsNode): Engine<TfTensor> {
  const { binding, isGpu, version } = loaded;
  const tf = new TfOps(binding);
  // NVIDIA's cards from compute capability 8.0 on multiply it; TensorFlow emulates it on older ones.
  const bfloat16 = isGpu || hasBfloat16(readCpuinfo());
  const live = new Set<number>();
  const keep = (tensor: TfTensor): TfTensor => {
    live.add(tensor.id);
    return tensor;
  };
  const alias = (tensor: TfTensor): TfTensor =>
    keep(outside(tf, () => tf.same("Identity", [tensor], tensor.shape)));
  return {
    name,
    capabilities: createCapabilities(bfloat16),
    describe: () =>
      `TensorFlow ${version.tensorflow} by tfjs-node ${version.tfjs}, ` +
      (isGpu ? "first GPU" : `${threadCount()} threads${bfloat16 ? ", bfloat16" : ""}`),
    activate: () => Promise.resolve(),
    compute: (call) => {
      const made = outside(tf, () => lower(call, tf));
      const given = new Set<TfTensor>(call.inputs);
      const taken = new Set<number>();
      return made.map((tensor) => {
        // An operand, a kept constant, or one tensor for two results: each result has a life of its own.
        if (given.has(tensor) || tf.isKept(tensor) || taken.has(tensor.id)) return alias(tensor);
        taken.add(tensor.id);
        return keep(tensor);
      });
    },
    upload: (tensor) => keep(outside(tf, () => uploadHost(copyOf(tensor), tf))),
    hold: (tensor) => keep(outside(tf, () => uploadHost(tensor, tf))),
    read: (tensor) => Promise.resolve(readTensor(tensor, tf)),
    alias,
    free: ({ id }) => {
      live.delete(id);
      binding.deleteTensor(id);
    },
    liveTensors: () => live.size,
    dispose: () => {
      for (const id of live) binding.deleteTensor(id);
      live.clear();
      tf.dispose();
      return Promise.resolve();
    },
  };
}

/** Threads within an op: TensorFlow takes every core unless told otherwise. */
function threadCount(): string {
  return process.env["TF_NUM_INTRAOP_THREADS"] ?? String(availableParallelism());
}

function copyOf({ dtype, shape, data }: HostTensor): HostTensor {
  return createHostTensor(dtype, shape, data.slice() as never);
}

/** Runs `work` in a scope of its own and hands its results to the caller. */
function outside<T extends TfTensor | readonly TfTensor[]>(tf: TfOps, work: () => T): T {
  try {
    return tf.scope(work);
  } finally {
    tf.release();
  }
}

function lower(call: Call<Attrs, TfTensor>, tf: TfOps): readonly TfTensor[] {
  const lowering = tfLoweringOf(call.node.op);
  if (!lowering)
    throw new InternalError(`backend-tfjs/node: op: expected a lowering of ${call.node.op}.`);
  const made = lowering(call, tf);
  const list = "id" in made ? [made] : made;
  return list.map((tensor, i) => checked(tensor, call.results[i]));
}

/** What the executor and the rest of the graph take the result for must be what it is. */
function checked(tensor: TfTensor, expected: ResultType | undefined): TfTensor {
  if (expected?.dtype === tensor.dtype && expected.shape.length === tensor.shape.length)
    return tensor;
  throw new InternalError(
    `backend-tfjs/node: result: expected ${expected?.dtype}[${expected?.shape.join()}], got ${tensor.dtype}[${tensor.shape.join()}].`,
  );
}
