// Our side of the linear probe. Arguments: folder with features and labels, sizes. Requests: { C, maxIterations }.
import { readFileSync } from "node:fs";
import path from "node:path";
import { createHostTensor } from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import { createLogisticFitter, eachLogisticScore } from "@diptych/zeroshot";
import { createBackend } from "../support/backend.mjs";
import { peakBytes } from "../support/child-process.mjs";
import { serve } from "../support/side.mjs";

const [folder, given] = process.argv.slice(2);
const { rows, test, width, classes } = JSON.parse(given);
const bytes = (file) => readFileSync(path.join(folder, file));
const features = new Float32Array(bytes("features.f32").buffer);
const labels = new Int32Array(bytes("labels.i32").buffer);
const part = (from, count) =>
  createHostTensor(
    "float32",
    [count, width],
    features.subarray(from * width, (from + count) * width),
  );
const backend = await createBackend({ type: "onnx" });
const compute = createCompute(backend);

await serve({ name: backend.describe() }, async ({ C, maxIterations }) => {
  const start = performance.now();
  const fitter = await createLogisticFitter({
    compute,
    features: part(0, rows),
    labels: labels.subarray(0, rows),
  });
  const model = await fitter.fit({ C, maxIterations });
  await fitter.dispose();
  const ms = performance.now() - start;
  let right = 0;
  const asked = { compute, features: part(rows, test), classes };
  await eachLogisticScore(model, asked, (scores, row) => {
    if (scores.indexOf(Math.max(...scores)) === labels[rows + row]) right += 1;
  });
  const { iterations, objective } = model;
  return { ms, iterations, objective, accuracy: right / test, peakBytes: peakBytes() };
});
await backend.dispose();
