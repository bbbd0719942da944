/** The micro-benchmark of one engine or provider: it is created, multiplies matrices in each floating-point type, and is disposed. */
import type { Part } from "@diptych/core/plugin";
import { createBackendOf, registryOf, type PluginSource } from "../backend-parts.js";
import { measureMatmulRate, type FloatType, type MatmulRate } from "./matmul-rate.js";

export interface MeasureInput {
  readonly source: PluginSource;
  readonly part: Part;
  /** Milliseconds for each type. */
  readonly budgetMs?: number;
}

/** What an engine does on this machine. */
export interface BackendRates {
  /** The backend's own line: runtime, version, device, threads. */
  readonly description: string;
  /** To load libraries and create the backend. */
  readonly startSeconds: number;
  /** By type, float32 first; types that the backend emulates in float32 are left out. */
  readonly rates: readonly MatmulRate[];
  /** Types that a graph may hold and that are computed in float32. */
  readonly emulated: readonly FloatType[];
  /** Types that it has and could not multiply in, with the reason. */
  readonly failures: readonly { readonly dtype: FloatType; readonly reason: string }[];
}

const FLOAT_TYPES: readonly FloatType[] = ["float32", "bfloat16", "float16"];

/** Run in a process of its own. @throws BackendError when the backend cannot be created or multiplies wrongly in float32. */
export async function measureBackend({
  source,
  part,
  budgetMs = 1000,
}: MeasureInput): Promise<BackendRates> {
  const registry = await registryOf(source);
  const begun = performance.now();
  const backend = await createBackendOf(part, registry, () => undefined);
  const startSeconds = (performance.now() - begun) / 1000;
  try {
    const rates: MatmulRate[] = [];
    const failures: { dtype: FloatType; reason: string }[] = [];
    const { dtypes, emulatedDtypes } = backend.capabilities;
    for (const dtype of FLOAT_TYPES) {
      if (!dtypes.has(dtype) || emulatedDtypes?.has(dtype)) continue;
      try {
        rates.push(await measureMatmulRate(backend, dtype, { budgetMs }));
      } catch (error) {
        if (dtype === "float32") throw error;
        failures.push({ dtype, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    const emulated = FLOAT_TYPES.filter((dtype) => emulatedDtypes?.has(dtype));
    return { description: backend.describe(), startSeconds, rates, emulated, failures };
  } finally {
    await backend.dispose();
  }
}
