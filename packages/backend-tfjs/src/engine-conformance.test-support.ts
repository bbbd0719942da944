// The conformance suite on one engine; where the engine is not there, a skip that says why.
import { BackendError } from "@diptych/core";
import { describeBackendConformance } from "@diptych/testing";
import { describe, it } from "vitest";
import { openEngine } from "./engines/choose-engine.js";
import type { EngineName } from "./engines/engine.js";
import { createTfjsBackend } from "./tfjs-backend.js";

/** Why an engine cannot be tested here, undefined where it can. Any error but that of a missing engine is a failure. */
export async function whyMissing(engine: EngineName): Promise<string | undefined> {
  try {
    const { device } = await openEngine(engine, {});
    device.dispose();
    return undefined;
  } catch (error) {
    if (error instanceof BackendError) return error.message;
    throw error;
  }
}

/** Runs `suite` where the engine is there, else registers a skipped test that says what is missing. */
export async function describeEngine(engine: EngineName, suite: () => void): Promise<void> {
  const reason = await whyMissing(engine);
  if (reason === undefined) {
    suite();
    return;
  }
  describe(`tfjs, ${engine}`, () => {
    it.skip(`skipped: ${reason}`, () => undefined);
  });
}

export async function describeEngineConformance(
  engine: EngineName,
  options: { readonly large?: boolean } = {},
): Promise<void> {
  await describeEngine(engine, () => {
    describeBackendConformance({
      name: `tfjs, ${engine}`,
      create: () => createTfjsBackend({ engine }),
      ...options,
    });
  });
}
