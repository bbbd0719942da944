import { createReferenceBackend } from "@diptych/core/reference";
import { describeBackendConformance } from "./conformance.js";

describeBackendConformance({
  name: "reference",
  create: async () => createReferenceBackend(),
  // It rounds where a run ends and nowhere else.
  tolerances: { float32: 1e-7, float16: 0, bfloat16: 0 },
  // Its kernels are those of the oracle, which has no other path for large tensors.
  large: false,
});
