import { describeEngineConformance } from "./engine-conformance.test-support.js";

// Plain JavaScript takes minutes for the large cases.
await describeEngineConformance("cpu", { large: false });
