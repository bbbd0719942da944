import { describeEngineConformance } from "./engine-conformance.test-support.js";

// A software renderer takes minutes for the large cases.
await describeEngineConformance("webgpu", { large: false });
