/** What WebAssembly does otherwise: kernels that it lacks, and ways around those that are slow there. */
import { COMPOSITES } from "./composites.js";
import type { LoweringOverrides } from "./lowering.js";

export const WASM_OVERRIDES: LoweringOverrides = { ...COMPOSITES };
