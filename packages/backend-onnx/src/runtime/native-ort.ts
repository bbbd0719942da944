/**
 * ONNX Runtime's C API as TypeScript calls: loads the library with koffi, binds
 * the generated table, reads and releases every status. All
 * use of koffi starts here. A library is loaded once per process and stays loaded.
 */
import { BackendError } from "@diptych/core";
import { cApiEntries, cApiSource } from "./c-api.js";
import type { CApi, CApiEntry, Handle, Out } from "./c-api.js";
import { createOrtError } from "./ort-errors.js";
import type { OrtFailureContext, OrtStatus } from "./ort-errors.js";

type Koffi = typeof import("koffi");

/** A loaded library. */
export interface NativeOrt {
  readonly api: CApi;
  readonly version: string;
  readonly library: string;
  /** Reads and releases a status; null is success. */
  readStatus(status: Handle | null): OrtStatus | null;
  /** @throws BackendError when `status` is a failure. */
  check(status: Handle | null, context: OrtFailureContext): void;
  /** Reads a zero-terminated UTF-8 string. */
  readString(address: Handle): string;
  /** The memory at `address`, without copy; it must not be used once freed. */
  viewMemory(address: Handle, bytes: number): Uint8Array<ArrayBuffer>;
  /** Asks the system for huge pages, where that exists: the first touch of a large buffer is then 3 times as fast. */
  adviseHugePages(address: Handle, bytes: number): void;
  /** Gives freed heap pages back to the system, where the allocator keeps them (glibc). */
  trimHeap(): void;
}

/** A run goes through ORT's kernels on the calling thread, far deeper than koffi's default 128 KiB allows for. */
const asyncStackBytes = 2 << 20;
const syncStackBytes = 8 << 20;

const loaded = new Map<string, Promise<NativeOrt>>();

/**
 * Loads the library at `path` (absolute), once.
 * @throws BackendError when it cannot be loaded or is too old.
 */
export function loadNativeOrt(path: string): Promise<NativeOrt> {
  const known = loaded.get(path);
  if (known) return known;
  const loading = openLibrary(path);
  loaded.set(path, loading);
  // A failure may be mended (a library installed), so it is not remembered.
  loading.catch(() => loaded.delete(path));
  return loading;
}

/** Makes a call with one out-parameter and returns the handle that it was given. */
export function takeHandle(
  native: NativeOrt,
  context: OrtFailureContext,
  call: (out: Out<Handle>) => Handle | null,
): Handle {
  const out: Out<Handle> = [null];
  native.check(call(out), context);
  if (out[0] !== null) return out[0];
  throw new BackendError(
    `backend-onnx/${context.doing}: ONNX Runtime returned nothing. Please report it.`,
  );
}

/** As `takeHandle`, for a number. */
export function takeNumber(
  native: NativeOrt,
  context: OrtFailureContext,
  call: (out: Out<number>) => Handle | null,
): number {
  const out: Out<number> = [null];
  native.check(call(out), context);
  return Number(out[0]);
}

/** @throws BackendError when `version` is older than the calls in use. */
export function checkOrtVersion(version: string, library: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 1 && minor >= cApiSource.minimumVersion) return;
  throw new BackendError(
    `backend-onnx/loadNativeOrt: ONNX Runtime's version: expected 1.${cApiSource.minimumVersion} or a later 1.x, ` +
      `got ${version} (${library}). Install onnxruntime-node@1.30.0, or point DIPTYCH_ORT_LIBRARY at a newer library.`,
  );
}

async function openLibrary(path: string): Promise<NativeOrt> {
  const koffi = await openKoffi();
  const library = openOrtLibrary(koffi, path);
  checkOrtVersion(library.version, path);
  const table = library.getTable(cApiSource.minimumVersion);
  const system = findSystemCalls(koffi);
  return createNativeOrt({
    koffi,
    api: bindTable(koffi, table),
    version: library.version,
    path,
    system,
    keep: library,
  });
}

/** koffi with stacks that ONNX Runtime's calls fit in, which must be set before its first use. @throws BackendError when it does not load. */
export async function openKoffi(): Promise<Koffi> {
  const koffi = await importKoffi();
  setStackSizes(koffi);
  return koffi;
}

async function importKoffi(): Promise<Koffi> {
  try {
    return (await import("koffi")).default as unknown as Koffi;
  } catch (error) {
    throw new BackendError(
      `backend-onnx/loadNativeOrt: koffi: expected it to load, got: ${errorText(error)}. ` +
        `Run \`npm install koffi@3.3.4\` with optional dependencies, or choose \`adapter: "binding"\`.`,
      { cause: error },
    );
  }
}

function setStackSizes(koffi: Koffi): void {
  try {
    koffi.config({ async_stack_size: asyncStackBytes, sync_stack_size: syncStackBytes });
  } catch (error) {
    // Sizes are fixed from koffi's first call on: another user of koffi came before us.
    const size = koffi.config().async_stack_size ?? 0;
    if (size >= asyncStackBytes) return;
    throw new BackendError(
      `backend-onnx/loadNativeOrt: koffi's async_stack_size: expected ${asyncStackBytes} or more, got ${size}: ` +
        `other code called koffi first. Create the backend before it, or call koffi.config({ async_stack_size: ${asyncStackBytes} }) there.`,
      { cause: error },
    );
  }
}

interface OpenedLibrary {
  readonly version: string;
  /** koffi unloads a library that nothing refers to. */
  readonly handle: unknown;
  getTable(apiVersion: number): Handle;
}

function openOrtLibrary(koffi: Koffi, path: string): OpenedLibrary {
  try {
    const handle = koffi.load(path);
    const base: unknown = handle.func("OrtGetApiBase", "void *", [])();
    const { GetApi, GetVersionString } = koffi.decode(
      base,
      koffi.struct({ GetApi: "void *", GetVersionString: "void *" }),
    ) as { GetApi: Handle; GetVersionString: Handle };
    const version = koffi.call(GetVersionString, koffi.proto("str", [])) as string;
    const getTable = (apiVersion: number): Handle =>
      koffi.call(GetApi, koffi.proto("void *", ["uint32_t"]), apiVersion) as Handle;
    return { version, handle, getTable };
  } catch (error) {
    throw new BackendError(
      `backend-onnx/loadNativeOrt: ONNX Runtime's library: expected ${path} to load, got: ${errorText(error)}. ` +
        `Install onnxruntime-node@1.30.0, or point DIPTYCH_ORT_LIBRARY at a libonnxruntime built for ${process.platform} ${process.arch}.`,
      { cause: error },
    );
  }
}

function bindTable(koffi: Koffi, table: Handle): CApi {
  const entries: [string, CApiEntry][] = Object.entries(cApiEntries);
  const length = Math.max(...entries.map(([, { index }]) => index)) + 1;
  const pointers = koffi.decode(table, koffi.array("void *", length)) as Handle[];
  const calls = entries.map(([name, { index, result, parameters }]) => {
    const prototype = koffi.proto(
      result,
      parameters.map((parameter) => resolveParameter(koffi, parameter)),
    );
    return [name, koffi.decode(pointers[index], prototype) as unknown] as const;
  });
  return Object.fromEntries(calls) as unknown as CApi;
}

function resolveParameter(koffi: Koffi, parameter: string) {
  if (parameter.startsWith("out ")) return koffi.out(koffi.pointer(parameter.slice("out ".length)));
  if (parameter === "path") return process.platform === "win32" ? "str16" : "str";
  return parameter;
}

interface SystemCalls {
  readonly advise: ((address: Handle, bytes: number, advice: number) => number) | null;
  readonly trim: ((keep: number) => number) | null;
}

/** `madvise` and `malloc_trim` of the C library in this process; null where it has none (musl, macOS, Windows). */
function findSystemCalls(koffi: Koffi): SystemCalls {
  if (process.platform !== "linux") return { advise: null, trim: null };
  const library = koffi.load(null);
  const find = (name: string, parameters: string[]): ((...values: unknown[]) => number) | null => {
    try {
      return library.func(name, "int", parameters);
    } catch {
      return null;
    }
  };
  return {
    advise: find("madvise", ["void *", "size_t", "int"]),
    trim: find("malloc_trim", ["size_t"]),
  };
}

interface NativeParts {
  readonly koffi: Koffi;
  readonly api: CApi;
  readonly version: string;
  readonly path: string;
  readonly system: SystemCalls;
  readonly keep: OpenedLibrary;
}

const hugePageAdvice = 14;
const pageBytes = 4096;
const hugePageBytes = 2 << 20;

function createNativeOrt({
  koffi,
  api,
  version,
  path,
  system,
  keep,
}: NativeParts): NativeOrt & { keep: OpenedLibrary } {
  const readStatus = (status: Handle | null): OrtStatus | null => {
    if (status === null) return null;
    const read = { code: api.GetErrorCode(status), message: api.GetErrorMessage(status) };
    api.ReleaseStatus(status);
    return read;
  };
  return {
    api,
    version,
    library: path,
    keep,
    readStatus,
    check(status, context) {
      const failure = readStatus(status);
      if (failure !== null) throw createOrtError(failure, context);
    },
    readString: (address) => koffi.decode.string(address),
    viewMemory: (address, bytes) => new Uint8Array(koffi.view(address, bytes)),
    adviseHugePages(address, bytes) {
      if (system.advise === null || bytes < 2 * hugePageBytes) return;
      const offset = Number(
        (BigInt(pageBytes) - (address % BigInt(pageBytes))) % BigInt(pageBytes),
      );
      // Advice: where the kernel refuses it, small pages serve.
      system.advise(
        address + BigInt(offset),
        Math.floor((bytes - offset) / pageBytes) * pageBytes,
        hugePageAdvice,
      );
    },
    trimHeap() {
      system.trim?.(0);
    },
  };
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
