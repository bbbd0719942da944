/** What each provider finds on this machine, for `diptych doctor`. */
import { BackendError } from "@diptych/core";
import type { BackendFinding } from "@diptych/core/plugin";
import { createOnnxBackend } from "./onnx-backend.js";
import type { ProviderName } from "./runtime/provider.js";

const PROVIDERS: readonly ProviderName[] = ["cpu", "webgpu", "cuda"];

/** Vulkan drivers that compute on the CPU. */
const SOFTWARE = /swiftshader|lvp|lavapipe|llvmpipe/i;

async function diagnose(provider: ProviderName): Promise<BackendFinding> {
  const part = { type: "onnx", provider };
  try {
    const backend = await createOnnxBackend({ provider, log: () => undefined });
    const { dtypes } = backend.capabilities;
    const detail = `${backend.describe()} (${[...dtypes].join(", ")})`;
    await backend.dispose();
    return { part, status: "ready", detail, slow: provider === "webgpu" && isSoftwareRenderer() };
  } catch (error) {
    // What is not there says so itself; anything else is a fault.
    const missing = error instanceof BackendError;
    const detail = error instanceof Error ? error.message : String(error);
    return { part, status: missing ? "missing" : "broken", detail };
  }
}

/** ONNX Runtime does not tell which adapter it took; the Vulkan driver that was asked for does. */
function isSoftwareRenderer(): boolean {
  const { VK_ICD_FILENAMES, VK_DRIVER_FILES } = process.env;
  return SOFTWARE.test(VK_DRIVER_FILES ?? VK_ICD_FILENAMES ?? "");
}

export async function diagnoseProviders(): Promise<readonly BackendFinding[]> {
  const findings: BackendFinding[] = [];
  for (const provider of PROVIDERS) findings.push(await diagnose(provider));
  return findings;
}
