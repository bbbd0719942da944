// A training step, or both towers' inference, of a CLIP model by its open_clip configuration, on any backend.
import { buildEncoders, buildLoss, createGraph, inputName } from "@diptych/core";
import {
  bindGraph,
  countFlops,
  createPrecisionPolicy,
  mixedPrecision,
  runPasses,
} from "@diptych/core/backend";
import { createInfoNce } from "@diptych/losses";
import { adamwSchema, buildTrainStep, createAdamw, Trainer } from "@diptych/training";
import { createOpenClipModel } from "diptych";
import { batchFor, batchSizes, firstValues } from "./clip-model.mjs";

const adamw = { betas: [0.9, 0.98], epsilon: 1e-6, weightDecay: 0.2 };
const learningRate = 1e-5;

/** A step fed with one batch again and again; `work` runs it and gives the loss. */
export async function openTraining(backend, { config, batch, precision }) {
  const model = createOpenClipModel(config);
  const built = buildLoss(buildEncoders({ ...model, mode: "train" }), createInfoNce());
  const binding = batchSizes(config, batch);
  const optimizer = createAdamw(adamwSchema.parse(adamw));
  const step = buildTrainStep({ built, optimizer, binding, precision });
  const initial = firstValues(step.parameters);
  const trainer = await Trainer.create({ backend, step, initial, seed: 0 });
  initial.clear();
  const names = step.batchInputs.map(({ name }) => name);
  const feeds = batchFor(names, { config, batch });
  return {
    flops: 3 * countFlops(bindGraph(createGraph("forward", { loss: built.loss }), binding)),
    async work() {
      const outcome = await trainer.runStep({ feeds }, { learningRate });
      if (outcome.status !== "done") throw new Error(`bench: step: ${outcome.status}`);
      return outcome.report.loss;
    },
    dispose: () => trainer.dispose(),
  };
}

const narrowest = { "mixed-fp16": "float16", "mixed-bf16": "bfloat16" };

/** Both towers with constant weights; `work` embeds one batch of pictures and texts. */
export async function openInference(backend, { config, batch, precision }) {
  const model = createOpenClipModel(config);
  const towers = [];
  for (const modality of ["image", "text"]) {
    const built = buildEncoders({ ...model, mode: "eval", modalities: [modality] });
    const whole = createGraph(`encode-${modality}`, { features: built.normalized[modality] });
    const low = narrowest[precision];
    const graph = low ? runPasses(whole, [mixedPrecision(createPrecisionPolicy(low))]) : whole;
    const executable = await backend.compile(graph, { constants: firstValues(built.parameters) });
    const inputs = graph.inputs.filter(({ node }) => node.op === "input");
    const names = inputs.map(({ node }) => inputName(node));
    const feeds = {};
    for (const [name, value] of Object.entries(batchFor(names, { config, batch })))
      feeds[name] = await backend.upload(value);
    towers.push({ graph, executable, feeds });
  }
  const sizes = batchSizes(config, batch);
  return {
    flops: towers.reduce((sum, { graph }) => sum + countFlops(bindGraph(graph, sizes)), 0),
    async work() {
      let first = 0;
      for (const { executable, feeds } of towers) {
        const { features } = await executable.run(feeds);
        first += (await features.read()).data[0];
        features.dispose();
      }
      return first;
    },
    async dispose() {
      for (const { executable, feeds } of towers) {
        for (const tensor of Object.values(feeds)) tensor.dispose();
        await executable.dispose();
      }
    },
  };
}
