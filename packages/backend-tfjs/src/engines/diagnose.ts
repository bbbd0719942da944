/** What each engine finds on this machine, for `diptych doctor`. */
import type { BackendFinding } from "@diptych/core/plugin";
import { BackendError } from "@diptych/core";
import { openEngine } from "./choose-engine.js";
import { ENGINE_NAMES, type EngineName } from "./engine.js";

async function diagnose(engine: EngineName): Promise<BackendFinding> {
  const part = { type: "tfjs", engine };
  try {
    const opened = await openEngine(engine);
    const detail = opened.description;
    opened.device.dispose();
    return { part, status: "ready", detail, slow: isSlow(engine, detail) };
  } catch (error) {
    // What is not there says so itself; anything else is a fault.
    const missing = error instanceof BackendError;
    const detail = error instanceof Error ? error.message : String(error);
    return { part, status: missing ? "missing" : "broken", detail };
  }
}

/** Plain JavaScript, and software renderers that stand in for a GPU. */
function isSlow(engine: EngineName, description: string): boolean {
  return engine === "cpu" || /swiftshader|llvmpipe|lavapipe/i.test(description);
}

export async function diagnoseEngines(): Promise<readonly BackendFinding[]> {
  const findings: BackendFinding[] = [];
  for (const name of ENGINE_NAMES) findings.push(await diagnose(name));
  return findings;
}
