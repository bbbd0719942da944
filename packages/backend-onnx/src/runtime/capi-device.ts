/**
 * A device's memory, and the way between it and the host's: a session of one Identity, whose input is bound on one side
 * and its output on the other, so that ONNX Runtime copies. It moves 32-bit words, whatever they stand for.
 */
import { encodeModel } from "../model-proto/encode-model.js";
import type { Handle } from "./c-api.js";
import type { CapiTensor, NativeBlock } from "./capi-binding.js";
import { createSessionOptions, type CapiEnvironment } from "./capi-environment.js";
import { elementTypes } from "./element-type.js";
import { takeHandle } from "./native-ort.js";
import { createOrtError, type OrtFailureContext } from "./ort-errors.js";
import type { OrtTransfers } from "./ort-runtime.js";
import { DEVICE_KINDS, type DeviceProvider } from "./provider.js";
import { enqueueRun } from "./run-queue.js";

const deviceAllocator = 0;
const defaultMemory = 0;
const wordBytes = 4;

/** A device that tensors lie on. */
export interface CapiDevice {
  readonly provider: DeviceProvider;
  readonly memoryInfo: Handle;
  /** Whether an output may be written over an input. */
  readonly inPlace: boolean;
  appendTo(sessionOptions: Handle, context: OrtFailureContext): void;
  reserve(bytes: number): NativeBlock;
  release(block: NativeBlock): void;
  read(tensor: CapiTensor, target: Uint8Array): Promise<void>;
  write(tensor: CapiTensor, source: Uint8Array): Promise<void>;
  /** Counts what a run's binding copied to the device. */
  countUpload(bytes: number): void;
  transfers(): OrtTransfers;
  /** Frees everything; no run may be in flight, no block taken. */
  close(): void;
}

/** @throws BackendError when the provider cannot be loaded or finds no device. */
export function openCapiDevice(environment: CapiEnvironment, provider: DeviceProvider): CapiDevice {
  const { native } = environment;
  const { api } = native;
  const kind = DEVICE_KINDS[provider.name];
  const context: OrtFailureContext = { doing: "openDevice", label: provider.name };
  const appendTo: CapiDevice["appendTo"] = (sessionOptions, given) =>
    kind.append(native, sessionOptions, { provider, context: given });
  const link = openLink(environment, { appendTo, context, ...kind, device: provider.device });
  let [toDevice, toHost] = [0, 0];
  return {
    provider,
    memoryInfo: link.memoryInfo,
    inPlace: kind.inPlace,
    appendTo,
    reserve: (bytes) => ({
      place: "device",
      capacity: bytes,
      bytes: null,
      address: takeHandle(native, { ...context, doing: "allocate" }, (out) =>
        api.AllocatorAlloc(link.allocator, bytes, out),
      ),
    }),
    release({ address }) {
      native.check(api.AllocatorFree(link.allocator, address), context);
    },
    async read({ block, byteLength }, target) {
      if (byteLength === 0) return;
      const words = wordsOf(byteLength);
      // The last word of a tensor of narrow elements may be filled in part.
      const whole = byteLength === words * wordBytes ? target : new Uint8Array(words * wordBytes);
      await link.copy({ from: { device: block.address }, to: { host: whole }, words });
      if (whole !== target) target.set(whole.subarray(0, byteLength));
      toHost += byteLength;
    },
    async write({ block, byteLength }, source) {
      if (byteLength === 0) return;
      const words = wordsOf(byteLength);
      const whole = byteLength === words * wordBytes ? source : new Uint8Array(words * wordBytes);
      if (whole !== source) whole.set(source);
      await link.copy({ from: { host: whole }, to: { device: block.address }, words });
      toDevice += byteLength;
    },
    countUpload(bytes) {
      toDevice += bytes;
    },
    transfers: () => ({ toDevice, toHost }),
    close: () => link.close(),
  };
}

function wordsOf(bytes: number): number {
  return Math.ceil(bytes / wordBytes);
}

type Side = { readonly host: Uint8Array } | { readonly device: NativeBlock["address"] };

/** One copy of so many words. */
interface Copy {
  readonly from: Side;
  readonly to: Side;
  readonly words: number;
}

interface Link {
  readonly memoryInfo: Handle;
  readonly allocator: Handle;
  copy(copy: Copy): Promise<void>;
  close(): void;
}

interface LinkParts {
  readonly appendTo: CapiDevice["appendTo"];
  readonly memoryName: string;
  readonly device: number;
  readonly context: OrtFailureContext;
}

/** The session of one Identity, the device's allocator, and its memory's name. */
function openLink(
  environment: CapiEnvironment,
  { appendTo, memoryName, device, context }: LinkParts,
): Link {
  const { native, env } = environment;
  const { api } = native;
  const opened: (() => void)[] = [];
  const close = (): void => {
    for (const free of opened.splice(0).reverse()) free();
  };
  try {
    const options = createSessionOptions(environment);
    opened.push(() => api.ReleaseSessionOptions(options));
    appendTo(options, context);
    native.check(
      api.AddSessionConfigEntry(options, "session.disable_cpu_ep_fallback", "1"),
      context,
    );
    const model = identityModel();
    const session = takeHandle(native, context, (out) =>
      api.CreateSessionFromArray(env, model, model.byteLength, options, out),
    );
    opened.push(() => api.ReleaseSession(session));
    const memoryInfo = takeHandle(native, context, (out) =>
      api.CreateMemoryInfo(memoryName, deviceAllocator, device, defaultMemory, out),
    );
    opened.push(() => api.ReleaseMemoryInfo(memoryInfo));
    const allocator = takeHandle(native, context, (out) =>
      api.CreateAllocator(session, memoryInfo, out),
    );
    opened.push(() => api.ReleaseAllocator(allocator));
    const binding = takeHandle(native, context, (out) => api.CreateIoBinding(session, out));
    opened.push(() => api.ReleaseIoBinding(binding));
    const copy = createCopy(environment, { session, binding, memoryInfo, context });
    return { memoryInfo, allocator, copy, close };
  } catch (error) {
    close();
    throw error;
  }
}

interface CopyParts {
  readonly session: Handle;
  readonly binding: Handle;
  readonly memoryInfo: Handle;
  readonly context: OrtFailureContext;
}

function createCopy(
  environment: CapiEnvironment,
  { session, binding, memoryInfo, context }: CopyParts,
): Link["copy"] {
  const { native, memoryInfo: hostInfo } = environment;
  const { api } = native;
  const valueOf = (side: Side, words: number): Handle =>
    takeHandle(native, context, (out) =>
      api.CreateTensorWithDataAsOrtValue(
        "host" in side ? hostInfo : memoryInfo,
        "host" in side ? side.host : side.device,
        words * wordBytes,
        BigInt64Array.of(BigInt(words)),
        1,
        elementTypes.int32.code,
        out,
      ),
    );
  const run = (): Promise<Handle | null> =>
    new Promise((resolve, reject) => {
      api.RunWithBinding.async(session, null, binding, (error, status) => {
        if (error) reject(error);
        else resolve(status);
      });
    });
  return ({ from, to, words }) =>
    enqueueRun(async () => {
      const values: Handle[] = [];
      try {
        values.push(valueOf(from, words), valueOf(to, words));
        native.check(api.BindInput(binding, "from", values[0] ?? null), context);
        native.check(api.BindOutput(binding, "to", values[1] ?? null), context);
        const failure = native.readStatus(await run());
        if (failure !== null) throw createOrtError(failure, { ...context, doing: "transfer" });
      } finally {
        // The binding keeps the device's side of what it copied until it is cleared.
        api.ClearBoundInputs(binding);
        api.ClearBoundOutputs(binding);
        for (const value of values) api.ReleaseValue(value);
      }
    });
}

function identityModel(): Uint8Array {
  const type = { dtype: "int32", shape: ["words"] } as const;
  return encodeModel({
    opset: 20,
    metadata: {},
    graph: {
      name: "transfer",
      nodes: [
        {
          name: "copy",
          op: "Identity",
          domain: "",
          inputs: ["from"],
          outputs: ["to"],
          attributes: {},
        },
      ],
      initializers: [],
      values: [],
      inputs: [{ name: "from", ...type }],
      outputs: [{ name: "to", ...type }],
    },
  });
}
