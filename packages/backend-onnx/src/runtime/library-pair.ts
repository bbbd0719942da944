/**
 * Whether ONNX Runtime's library and an execution provider beside it are of one release. The library loads a
 * provider of any other one, with undefined behaviour, so both files are read for the version they carry.
 */
import { open } from "node:fs/promises";
import { BackendError } from "@diptych/core";

const chunkBytes = 8 << 20;
/** Longer than any version with its mark, so that none is lost on the border of two chunks. */
const overlapBytes = 64;

const pairs = new Map<string, Promise<string>>();

/**
 * Checks that `provider` (e.g. libonnxruntime_providers_cuda.so) is of the release that `library` (libonnxruntime)
 * is of. Both are read as bytes, nothing is loaded; a pair that fits is not read again in this process.
 *
 * @returns That release, e.g. `1.31.1`.
 * @throws BackendError naming both versions when they differ, or the file when it cannot be read or carries none.
 */
export function checkLibraryPair(library: string, provider: string): Promise<string> {
  const key = `${library}\0${provider}`;
  const known = pairs.get(key);
  if (known) return known;
  const checking = comparePair(library, provider);
  pairs.set(key, checking);
  // A failure may be mended (a file replaced), so it is not remembered.
  checking.catch(() => pairs.delete(key));
  return checking;
}

async function comparePair(library: string, provider: string): Promise<string> {
  const version = await readLibraryVersion(library);
  if (await holds(provider, Buffer.from(`\0${version}\0`, "latin1"))) return version;
  const others = await findAll(provider, /\0(1\.\d{1,3}\.\d{1,3})(?=\0)/g);
  throw new BackendError(
    `backend-onnx/checkLibraryPair: ONNX Runtime's provider: expected version ${version}, that of ${library}, ` +
      `got ${others.length === 0 ? "a file that names none" : others.join(" or ")} (${provider}). ` +
      "A provider of another release loads and then computes anything: take both files from one package, " +
      "e.g. by `diptych setup cuda`.",
  );
}

/** The release of a libonnxruntime, from the version of its exported symbols. */
async function readLibraryVersion(library: string): Promise<string> {
  const [symbols] = await findAll(library, /\0VERS_(\d+\.\d+\.\d+)(?=\0)/g);
  if (symbols !== undefined) return symbols;
  throw new BackendError(
    `backend-onnx/checkLibraryPair: ONNX Runtime's library: expected a libonnxruntime with versioned symbols, ` +
      `got none in ${library}. Take it from the same package as the provider, e.g. by \`diptych setup cuda\`.`,
  );
}

async function holds(path: string, bytes: Buffer): Promise<boolean> {
  for await (const chunk of readOverlapping(path)) {
    if (chunk.includes(bytes)) return true;
  }
  return false;
}

async function findAll(path: string, pattern: RegExp): Promise<readonly string[]> {
  const found = new Set<string>();
  for await (const chunk of readOverlapping(path)) {
    for (const [, version] of chunk.toString("latin1").matchAll(pattern)) {
      if (version !== undefined) found.add(version);
    }
  }
  return [...found];
}

async function* readOverlapping(path: string): AsyncGenerator<Buffer> {
  const file = await open(path).catch((cause: unknown) => {
    throw new BackendError(
      `backend-onnx/checkLibraryPair: ONNX Runtime's files: expected to read ${path}, got ` +
        `${(cause as NodeJS.ErrnoException).code ?? String(cause)}. Run \`diptych setup cuda\`.`,
      { cause },
    );
  });
  try {
    const buffer = Buffer.alloc(chunkBytes + overlapBytes);
    let kept = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, kept, chunkBytes);
      if (bytesRead === 0) return;
      const filled = kept + bytesRead;
      yield buffer.subarray(0, filled);
      kept = Math.min(overlapBytes, filled);
      buffer.copy(buffer, 0, filled - kept, filled);
    }
  } finally {
    await file.close();
  }
}
