/** Engine `cpu`: plain JavaScript on one thread. Slow; for tests, and where nothing else runs. */
import { createCoreEngine, enterEngine } from "./core-engine.js";
import type { Engine } from "./engine.js";

export async function openCpu(): Promise<Engine> {
  const core = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-cpu");
  await enterEngine(core, "cpu");
  // It advertises tfjs-node on the console when it is first used; `auto` has looked for that already.
  Object.assign(core.backend(), { firstUse: false });
  return createCoreEngine(core, {
    name: "cpu",
    description: `TensorFlow.js ${core.version_core}, cpu (plain JavaScript, 1 thread)`,
    slow: true,
    deviceMemory: "host",
    synchronous: true,
    copiesUploads: false,
    copiesReads: false,
  });
}
