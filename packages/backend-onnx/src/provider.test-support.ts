// Tests of a provider where it is there; where it is not, a skip that says why.
import { BackendError } from "@diptych/core";
import { describe, it } from "vitest";
import { createOnnxBackend, type OnnxBackendOptions } from "./onnx-backend.js";

type ProviderOption = NonNullable<OnnxBackendOptions["provider"]>;

/** Why a provider cannot be tested here, undefined where it can. Any error but a BackendError is a failure. */
async function whyMissing(provider: ProviderOption): Promise<string | undefined> {
  try {
    const backend = await createOnnxBackend({ provider });
    await backend.dispose();
    return undefined;
  } catch (error) {
    if (error instanceof BackendError) return error.message;
    throw error;
  }
}

/** Declares `suite` where the provider is there. */
export async function describeProviderSuite(
  provider: ProviderOption,
  suite: () => void,
): Promise<void> {
  const reason = await whyMissing(provider);
  if (reason === undefined) {
    suite();
    return;
  }
  describe(`onnx, ${provider}`, () => {
    it.skip(`skipped: ${reason}`, () => undefined);
  });
}
