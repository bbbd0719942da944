/** Whether a built tfjs-node works: a product of matrices in a process of its own, which a broken library may end. */
import { BackendError } from "@diptych/core";
import { runTool, ToolError } from "./run-tool.js";

/** Node 23 took away two functions that tfjs-node 4.22 calls. */
const script = (name: string): string => `
const util = require("node:util");
util.isNullOrUndefined ??= (x) => x === null || x === undefined;
util.isArray ??= Array.isArray;
const tf = require(${JSON.stringify(name)});
const [first] = tf.matMul(tf.ones([4, 4]), tf.ones([4, 4])).dataSync();
if (tf.getBackend() !== "tensorflow" || first !== 4) {
  throw new Error("matMul of ones: expected 4 on tensorflow, got " + first + " on " + tf.getBackend());
}
const { binding, isUsingGpuDevice } = tf.backend();
console.log(JSON.stringify({ version: binding.TF_Version, gpu: isUsingGpuDevice === true }));
`;

/**
 * Runs `name`, installed in `folder`.
 * @returns e.g. `TensorFlow 2.18.1, on the CPU`.
 * @throws BackendError when it does not load or computes something else.
 */
export async function checkTfjsNode(
  folder: string,
  name: string,
  signal?: AbortSignal,
): Promise<string> {
  try {
    const { stdout } = await runTool(process.execPath, {
      args: ["-e", script(name)],
      cwd: folder,
      env: { TF_CPP_MIN_LOG_LEVEL: "2", NODE_OPTIONS: undefined },
      signal,
    });
    const line = stdout.trim().split("\n").at(-1) ?? "";
    const { version, gpu } = JSON.parse(line) as { version: string; gpu: boolean };
    return `TensorFlow ${version}, on the ${gpu ? "GPU" : "CPU"}`;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new BackendError(
      `diptych/setUpNative: ${name}: expected to multiply two matrices with it, got: ${error.message}.\n` +
        `${error.lastLines}\nNothing was installed.`,
    );
  }
}
