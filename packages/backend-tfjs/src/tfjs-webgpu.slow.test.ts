import { describeEngine, describeLeaks } from "./engine-conformance.test-support.js";

await describeEngine("webgpu", () => {
  describeLeaks("webgpu", 1000);
});
