/** Opens the engine that is asked for, or the fastest that is present. */
import { BackendError } from "@diptych/core";
import { openCpu } from "./cpu.js";
import { ENGINE_NAMES, type Engine, type EngineChoice, type EngineName } from "./engine.js";
import { openNode } from "./node.js";
import { openWasm } from "./wasm.js";
import { openWebgpu } from "./webgpu.js";

/** What an engine is opened with. */
export interface EngineSettings {
  /** Threads within one operator, of `node`. */
  readonly threads?: number;
}

export interface EngineOptions extends EngineSettings {
  readonly engine?: EngineChoice;
  /** Receives which engine `auto` took and why; default: a warning of the process. */
  readonly log?: (line: string) => void;
}

type OpenEngine = (name: EngineName, settings: EngineSettings) => Promise<Engine>;

/** Opens one engine. @throws BackendError where it is not installed or finds no device. */
export const openEngine: OpenEngine = async (name, settings) => {
  switch (name) {
    case "node-gpu":
    case "node":
      return openNode(name, settings);
    case "webgpu":
      return openWebgpu();
    case "wasm":
      return openWasm();
    case "cpu":
      return openCpu();
  }
};

function warn(line: string): void {
  process.emitWarning(line);
}

/**
 * `auto` takes the first of {@link ENGINE_NAMES} that starts and is no software renderer, and says in one line why not one
 * before it.
 *
 * @throws BackendError where the engine that is asked for does not start, or none does.
 */
export async function chooseEngine(
  { engine = "auto", log = warn, ...settings }: EngineOptions = {},
  open: OpenEngine = openEngine,
): Promise<Engine> {
  if (engine !== "auto") return open(engine, settings);
  const reasons: string[] = [];
  for (const name of ENGINE_NAMES) {
    const opened = await open(name, settings).catch((reason: unknown) => {
      reasons.push(`${name} (${reason instanceof Error ? reason.message : String(reason)})`);
      return undefined;
    });
    if (opened?.slow && name !== "cpu") {
      opened.device.dispose();
      reasons.push(`${name} (${opened.description} is a software renderer)`);
    } else if (opened) {
      log(`backend-tfjs: engine ${name}: ${opened.description}${passedOver(reasons)}`);
      return opened;
    }
  }
  throw new BackendError(
    `backend-tfjs: engine: expected one of ${ENGINE_NAMES.join(", ")} to start, got none: ${reasons.join("; ")}.`,
  );
}

function passedOver(reasons: readonly string[]): string {
  return reasons.length === 0 ? "" : `; faster ones are not present: ${reasons.join("; ")}`;
}
