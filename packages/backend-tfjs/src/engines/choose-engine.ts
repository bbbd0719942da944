/** Opens the engine that is asked for, or the fastest that is present. */
import { BackendError } from "@diptych/core";
import { openCpu } from "./cpu.js";
import { ENGINE_NAMES, type Engine, type EngineChoice, type EngineName } from "./engine.js";
import { openNode } from "./node.js";
import { openWasm } from "./wasm.js";
import { openWebgpu } from "./webgpu.js";

export interface EngineOptions {
  readonly engine?: EngineChoice;
  /** Threads within one operator, of `node`. */
  readonly threads?: number;
  readonly log?: (line: string) => void;
}

/** Opens one engine. @throws BackendError where it is not installed or finds no device. */
export async function openEngine(
  name: EngineName,
  options: Pick<EngineOptions, "threads"> = {},
): Promise<Engine> {
  switch (name) {
    case "node-gpu":
    case "node":
      return openNode(name, options);
    case "webgpu":
      return openWebgpu();
    case "wasm":
      return openWasm();
    case "cpu":
      return openCpu();
  }
}

/** @throws BackendError with every engine's reason where none starts. */
export async function chooseEngine({
  engine = "auto",
  log = console.warn,
  ...options
}: EngineOptions = {}): Promise<Engine> {
  if (engine !== "auto") return openEngine(engine, options);
  const reasons: string[] = [];
  for (const name of ENGINE_NAMES) {
    try {
      const opened = await openEngine(name, options);
      const passed = reasons.length > 0 ? `; not ${reasons.join("; not ")}` : "";
      log(`backend-tfjs: engine ${name} is the fastest present${passed}`);
      return opened;
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new BackendError(
    `backend-tfjs: engine: expected one of ${ENGINE_NAMES.join(", ")} to start, got none: ${reasons.join("; ")}`,
  );
}
