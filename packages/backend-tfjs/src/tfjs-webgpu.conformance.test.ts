import { describeEngineConformance } from "./engine-conformance.test-support.js";

// A software renderer takes minutes for the large cases and for a thousand steps (tfjs-webgpu.slow.test.ts).
await describeEngineConformance("webgpu", { large: false, leakSteps: 100 });
