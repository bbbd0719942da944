// Both towers of ViT-B/32 as diptych runs them to embed: graphs that take any batch, parameters as constants.
import { buildEncoders, createGraph, inputName } from "@diptych/core";
import { bindGraph, countFlops } from "@diptych/core/backend";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { giveResult, peakBytes } from "./child-process.mjs";
import { batchFor, createVitB32, firstValues, sizes } from "./clip-model.mjs";
import { createMatmulRate, measureShare } from "./matmul-rate.mjs";

const turns = Number(process.argv[2]);
const backend = await createOnnxBackend();
const rate = await createMatmulRate(backend);
const towers = {};
for (const modality of ["image", "text"]) towers[modality] = await measureTower(modality);
const peak = peakBytes();
await rate.dispose();
await backend.dispose();
giveResult({ backend: backend.describe(), peakBytes: peak, towers });

async function measureTower(modality) {
  const built = buildEncoders({ ...createVitB32(), mode: "eval", modalities: [modality] });
  const graph = createGraph(`encode-${modality}`, { features: built.normalized[modality] });
  const executable = await backend.compile(graph, { constants: firstValues(built.parameters) });
  const names = graph.inputs
    .filter(({ node }) => node.op === "input")
    .map(({ node }) => inputName(node));
  const feeds = {};
  for (const name of executable.inputNames)
    feeds[name] = await backend.upload(batchFor(names)[name]);
  const into = await executable.run(feeds);
  const work = () => executable.run(feeds, { into });
  await work();
  const flops = countFlops(bindGraph(graph, sizes));
  const measured = await measureShare(rate, { flops, turns, work });
  for (const tensor of [...Object.values(feeds), ...Object.values(into)]) tensor.dispose();
  await executable.dispose();
  return { flops, ...measured };
}
