/** What each engine finds on this machine, for `diptych doctor`. */
import { BackendError } from "@diptych/core";
import type { BackendFinding } from "@diptych/core/plugin";
import { openEngine } from "./choose-engine.js";
import { ENGINE_NAMES, type EngineName } from "./engine.js";

async function diagnose(engine: EngineName): Promise<BackendFinding> {
  const part = { type: "tfjs", engine };
  try {
    const { device, description, slow } = await openEngine(engine, {});
    device.dispose();
    return { part, status: "ready", detail: description, slow };
  } catch (error) {
    // What is not there says so itself; anything else is a fault.
    const missing = error instanceof BackendError;
    const detail = error instanceof Error ? error.message : String(error);
    return { part, status: missing ? "missing" : "broken", detail };
  }
}

export async function diagnoseEngines(): Promise<readonly BackendFinding[]> {
  const findings: BackendFinding[] = [];
  for (const name of ENGINE_NAMES) findings.push(await diagnose(name));
  return findings;
}
