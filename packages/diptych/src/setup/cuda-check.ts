/** Whether a libonnxruntime that was set up loads and computes on the CPU: what can be known without a card. */
import { createOnnxBackend } from "@diptych/backend-onnx";
import {
  BackendError,
  createGraph,
  hostTensorFrom,
  hostValues,
  input,
  matmul,
} from "@diptych/core";

/** @throws BackendError when the library at `path` does not load or multiplies matrices wrongly. */
export async function checkOrtLibrary(path: string): Promise<void> {
  const backend = await createOnnxBackend({ library: path, adapter: "capi" });
  try {
    const x = input("x", [2, 2]);
    const executable = await backend.compile(createGraph("check", { y: matmul(x, x) }));
    const { y } = await executable.run({ x: hostTensorFrom("float32", [2, 2], [1, 2, 3, 4]) });
    const values = y === undefined ? [] : [...hostValues(await y.read())];
    y?.dispose();
    await executable.dispose();
    if (String(values) === "7,10,15,22") return;
    throw new BackendError(
      `diptych/setUpNative: ${path}: expected [1 2; 3 4]² to be 7,10,15,22, got ${String(values)}. Nothing was installed.`,
    );
  } finally {
    await backend.dispose();
  }
}
