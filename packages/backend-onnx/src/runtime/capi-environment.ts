/**
 * ONNX Runtime's environment, one per process and library: the shared arena, the
 * memory description, the self-test. It lives as long as the process.
 *
 * All sessions share one arena that grows by what is asked (kSameAsRequested):
 * the gradient's and the update's activations then use the same memory.
 */
import { BackendError } from "@diptych/core";
import type { Handle } from "./c-api.js";
import { loadNativeOrt, takeHandle } from "./native-ort.js";
import type { NativeOrt } from "./native-ort.js";
import { selfTestInputs, selfTestModel, selfTestOutput } from "./self-test-model.js";

const context = { doing: "createRuntime" } as const;

/** Errors are thrown, so nothing but a fatal condition is printed. */
const logFatal = 4;
const deviceAllocator = 0;
const arenaAllocator = 1;
const defaultMemory = 0;
const floatElement = 1;
const arenaSameAsRequested = 1n;

/** What all sessions and tensors of a library share. */
export interface CapiEnvironment {
  readonly native: NativeOrt;
  readonly env: Handle;
  /** CPU memory outside the arena, where tensors lie. */
  readonly memoryInfo: Handle;
  /** ONNX Runtime's own aligned, non-arena allocator. */
  readonly allocator: Handle;
  /** Gives what the arena holds and no run uses back to the system. */
  shrinkArena(): void;
}

const environments = new Map<string, Promise<CapiEnvironment>>();

/**
 * The environment of the library at `path`, made and self-tested on first use.
 * @throws BackendError when the library does not load or computes wrong numbers.
 */
export function openCapiEnvironment(path: string): Promise<CapiEnvironment> {
  const known = environments.get(path);
  if (known) return known;
  const opening = createEnvironment(path);
  environments.set(path, opening);
  opening.catch(() => environments.delete(path));
  return opening;
}

async function createEnvironment(path: string): Promise<CapiEnvironment> {
  const native = await loadNativeOrt(path);
  const { api } = native;
  const env = takeHandle(native, context, (out) => api.CreateEnv(logFatal, "diptych", out));
  const allocator = takeHandle(native, context, (out) => api.GetAllocatorWithDefaultOptions(out));
  const memoryInfo = takeHandle(native, context, (out) =>
    api.CreateCpuMemoryInfo(deviceAllocator, defaultMemory, out),
  );
  registerArena(native, env);
  const probe = createProbe(native, env, memoryInfo);
  return { native, env, memoryInfo, allocator, shrinkArena: probe };
}

function registerArena(native: NativeOrt, env: Handle): void {
  const { api } = native;
  const info = takeHandle(native, context, (out) =>
    api.CreateCpuMemoryInfo(arenaAllocator, defaultMemory, out),
  );
  const config = takeHandle(native, context, (out) =>
    api.CreateArenaCfgV2(
      ["arena_extend_strategy"],
      BigUint64Array.of(arenaSameAsRequested),
      1,
      out,
    ),
  );
  const failure = native.readStatus(
    api.CreateAndRegisterAllocatorV2(env, "CPUExecutionProvider", info, config, null, null, 0),
  );
  api.ReleaseArenaCfg(config);
  api.ReleaseMemoryInfo(info);
  // Another thread of this process (a worker) may have registered it before us: the environment is one.
  if (failure !== null && !/already/i.test(failure.message)) {
    throw new BackendError(
      `backend-onnx/createRuntime: shared arena: expected ONNX Runtime to make it, got: ${failure.message}. ` +
        `Use the pinned onnxruntime-node, or choose \`adapter: "binding"\`.`,
    );
  }
}

/** Options that every session has: one operator after the other, the shared arena. */
export function createSessionOptions({ native }: Pick<CapiEnvironment, "native">): Handle {
  const { api } = native;
  const options = takeHandle(native, context, (out) => api.CreateSessionOptions(out));
  try {
    native.check(api.SetSessionExecutionMode(options, 0), context);
    native.check(api.AddSessionConfigEntry(options, "session.use_env_allocators", "1"), context);
  } catch (error) {
    api.ReleaseSessionOptions(options);
    throw error;
  }
  return options;
}

/**
 * The one-node self-test, kept: its runs carry the request to shrink the shared
 * arena, which ONNX Runtime takes at the end of a run only.
 */
function createProbe(native: NativeOrt, env: Handle, memoryInfo: Handle): () => void {
  const { api } = native;
  const options = createSessionOptions({ native });
  native.check(api.SetIntraOpNumThreads(options, 1), context);
  const model = selfTestModel();
  const session = takeHandle(native, context, (out) =>
    api.CreateSessionFromArray(env, model, model.byteLength, options, out),
  );
  api.ReleaseSessionOptions(options);
  const result = new Float32Array(selfTestOutput.length);
  const arrays = {
    a: Float32Array.from(selfTestInputs.a),
    b: Float32Array.from(selfTestInputs.b),
    y: result,
  };
  const binding = takeHandle(native, context, (out) => api.CreateIoBinding(session, out));
  for (const [name, array] of Object.entries(arrays)) {
    const bytes = new Uint8Array(array.buffer);
    const value = takeHandle(native, context, (out) =>
      api.CreateTensorWithDataAsOrtValue(
        memoryInfo,
        bytes,
        bytes.byteLength,
        BigInt64Array.of(BigInt(array.length)),
        1,
        floatElement,
        out,
      ),
    );
    native.check((name === "y" ? api.BindOutput : api.BindInput)(binding, name, value), context);
    api.ReleaseValue(value);
  }
  const runOptions = takeHandle(native, context, (out) => api.CreateRunOptions(out));
  native.check(
    api.AddRunConfigEntry(runOptions, "memory.enable_memory_arena_shrinkage", "cpu:0"),
    context,
  );
  const run = (): void => {
    // `arrays` is named here so that the memory lives as long as the binding.
    arrays.y.fill(0);
    native.check(api.RunWithBinding(session, runOptions, binding), context);
  };
  run();
  checkSelfTest(result, native);
  return () => {
    run();
    native.trimHeap();
  };
}

function checkSelfTest(result: Float32Array, native: NativeOrt): void {
  if (result.every((value, index) => value === selfTestOutput[index])) return;
  throw new BackendError(
    `backend-onnx/createRuntime: self-test of ONNX Runtime ${native.version}: expected [${selfTestOutput.join(",")}], ` +
      `got [${result.join(",")}] (${native.library}). This build is broken or not of this platform: reinstall onnxruntime-node@1.30.0.`,
  );
}
