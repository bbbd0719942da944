/** Chooses the adapter. */
import { createBindingRuntime } from "./binding-runtime.js";
import { createCapiRuntime } from "./capi-runtime.js";
import { currentSurroundings, findOrtLibrary, isLibraryNamed } from "./library-path.js";
import type { OrtRuntime, OrtRuntimeOptions } from "./ort-runtime.js";

/** See `createOrtRuntime`. */
export async function createRuntime(options: OrtRuntimeOptions): Promise<OrtRuntime> {
  const { adapter = "auto", library, log = warn } = options;
  if (adapter === "binding") return createBindingRuntime(log);
  const surroundings = currentSurroundings();
  const open = async (): Promise<OrtRuntime> =>
    createCapiRuntime(findOrtLibrary(library, surroundings), log);
  // Who names a library wants that one, or to hear why not.
  if (adapter === "capi" || isLibraryNamed(library, surroundings.environment)) return open();
  return open().catch((reason: unknown) => fallBack(reason, log));
}

function warn(line: string): void {
  process.emitWarning(line);
}

async function fallBack(reason: unknown, log: (line: string) => void): Promise<OrtRuntime> {
  const why = reason instanceof Error ? reason.message : String(reason);
  const runtime = await createBindingRuntime(log);
  log(
    `backend-onnx: using onnxruntime-node's own binding, which copies every output and blocks during a run, because: ${why}`,
  );
  return runtime;
}
