/** Where the libonnxruntime with a CUDA provider lies, and whether the two files beside one another are of one release. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { BackendError } from "@diptych/core";
import { nativeFolder } from "@diptych/core/host";
import { checkLibraryPair } from "./library-pair.js";
import { findOrtLibrary, isLibraryNamed, type LibrarySurroundings } from "./library-path.js";

const folderPattern = /^onnxruntime-cuda-(\d+)\.(\d+)\.(\d+)$/;

/**
 * The library named by `library` or DIPTYCH_ORT_LIBRARY, else the newest that `diptych setup cuda` brought.
 * @throws BackendError where there is none, it has no CUDA provider beside it, or one of another release.
 */
export async function findCudaLibrary(
  library: string | undefined,
  surroundings: LibrarySurroundings,
  folder: string = nativeFolder(),
): Promise<string> {
  if (surroundings.platform !== "linux" && surroundings.platform !== "win32") {
    throw new BackendError(
      `backend-onnx/findCudaLibrary: platform: expected linux or win32 for the provider cuda, got ${surroundings.platform}. Choose the provider webgpu or cpu.`,
    );
  }
  const found = isLibraryNamed(library, surroundings.environment)
    ? findOrtLibrary(library, surroundings)
    : findSetUp(folder, surroundings);
  const provider = join(
    dirname(found),
    surroundings.platform === "win32"
      ? "onnxruntime_providers_cuda.dll"
      : "libonnxruntime_providers_cuda.so",
  );
  if (!surroundings.exists(provider)) {
    throw new BackendError(
      `backend-onnx/findCudaLibrary: ONNX Runtime's CUDA provider: expected ${provider}, got nothing there. ` +
        `Run \`diptych setup cuda\`, or name a libonnxruntime that has it beside it.`,
    );
  }
  // Windows' libraries do not carry versions that could be compared.
  if (surroundings.platform === "linux") await checkLibraryPair(found, provider);
  return found;
}

/** The newest complete set-up. */
function findSetUp(folder: string, surroundings: LibrarySurroundings): string {
  const versions = listFolder(folder)
    .flatMap((name) => {
      const match = folderPattern.exec(name);
      return match ? [match.slice(1).map(Number)] : [];
    })
    .sort((a, b) => compareVersions(b, a));
  for (const version of versions) {
    const home = join(folder, `onnxruntime-cuda-${version.join(".")}`);
    const library = join(home, `libonnxruntime.so.${version.join(".")}`);
    // setup.json is written last.
    if (surroundings.exists(join(home, "setup.json")) && surroundings.exists(library))
      return library;
  }
  throw new BackendError(
    `backend-onnx/findCudaLibrary: ONNX Runtime with CUDA: expected it in ${folder}, got none. ` +
      `Run \`diptych setup cuda\`, or name a libonnxruntime by \`library\` or DIPTYCH_ORT_LIBRARY.`,
  );
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No such folder: nothing was set up.
    return [];
  }
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
