// The golden models and training runs on ONNX Runtime, through its C API and through the plain binding.
import { createOnnxBackend, type OnnxBackendOptions } from "@diptych/backend-onnx";
import { hostValues } from "@diptych/core";
import { describeModelGoldens, type GraphRunner } from "./models.golden.test-support.js";
import { describeTrainingGoldens } from "./training.golden.test-support.js";

async function createRunner(options: OnnxBackendOptions): Promise<GraphRunner> {
  const backend = await createOnnxBackend(options);
  return {
    run: async (graph, feeds) => {
      const executable = await backend.compile(graph);
      const outputs = await executable.run(feeds);
      const values: Record<string, ArrayLike<number>> = {};
      for (const [name, tensor] of Object.entries(outputs)) {
        values[name] = hostValues(await tensor.read());
        tensor.dispose();
      }
      await executable.dispose();
      return values;
    },
    dispose: () => backend.dispose(),
  };
}

for (const adapter of ["capi", "binding"] as const) {
  describeModelGoldens(`ONNX Runtime, ${adapter}`, () => createRunner({ adapter }));
  describeTrainingGoldens(`ONNX Runtime, ${adapter}`, () => createOnnxBackend({ adapter }));
}
