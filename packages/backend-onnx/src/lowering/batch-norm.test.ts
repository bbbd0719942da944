import { add, batchNorm, createGraph, input, sub } from "@diptych/core";
import { afterAll, beforeAll, it } from "vitest";
import { createOnnxBackend } from "../onnx-backend.js";
import { expectAsReference, sample } from "./against-reference.test-support.js";

let backend: Awaited<ReturnType<typeof createOnnxBackend>>;
beforeAll(async () => {
  backend = await createOnnxBackend();
});
afterAll(() => backend.dispose());

// BatchNormalization writes its running statistics over the inputs that they come from: two norms of equal width must
// not share them.
it("keeps the statistics of several norms of one width apart, with and without shared parameters", async () => {
  const x = input("x", [4, 3, 2, 2]);
  const z = input("z", [5, 3, 1, 2]);
  const scale = input("scale", [3]);
  const bias = input("bias", [3]);
  const first = batchNorm(x, scale, bias, { epsilon: 1e-5 });
  const second = batchNorm(z, scale, bias, { epsilon: 1e-5 });
  const third = batchNorm(first.output, bias, scale, { epsilon: 1e-5 });
  // Read after all norms have run: a later one would have written over them.
  const outputs = {
    means: sub(add(first.mean, second.mean), third.mean),
    variances: sub(add(first.variance, second.variance), third.variance),
    output: second.output,
  };
  const graph = createGraph("norms", outputs);
  const feeds = {
    x: sample([4, 3, 2, 2], 1),
    z: sample([5, 3, 1, 2], 2),
    scale: sample([3], 3),
    bias: sample([3], 4),
  };
  await expectAsReference(backend, graph.outputs, feeds, 1e-5);
});
