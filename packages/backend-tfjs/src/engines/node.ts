/** Engines `node` and `node-gpu`: libtensorflow through the addon of tfjs-node. */
import type { Device } from "../executor/device.js";
import { openNodeEngine } from "../node/node-engine.js";
import type { Engine } from "./engine.js";

export async function openNode(
  name: "node" | "node-gpu",
  options: { readonly threads?: number },
): Promise<Engine> {
  // Read by TensorFlow when it starts, which it does once in a process.
  if (options.threads !== undefined)
    process.env["TF_NUM_INTRAOP_THREADS"] ??= String(options.threads);
  const engine = await openNodeEngine({ gpu: name === "node-gpu" });
  // Handles of one device never meet those of another.
  return { ...engine, slow: false, device: engine.device as unknown as Device };
}
