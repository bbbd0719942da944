import { describeEngineConformance } from "./engine-conformance.test-support.js";

await describeEngineConformance("wasm");
