// The training step of ViT-B/32: how long it takes to set up, its peak memory, its time beside the product's, and how
// long the main thread is ever blocked.
import { buildEncoders, buildLoss, createGraph } from "@diptych/core";
import { bindGraph, countFlops, prepareForBackend } from "@diptych/core/backend";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { createInfoNce } from "@diptych/losses";
import { adamwSchema, buildTrainStep, createAdamw, Trainer } from "@diptych/training";
import { giveResult, peakBytes } from "./child-process.mjs";
import { batchFor, createVitB32, firstValues, sizes } from "./clip-model.mjs";
import { createMatmulRate, measureShare } from "./matmul-rate.mjs";

const [turns, rematerialise] = [Number(process.argv[2]), process.argv[3] === "rematerialise"];
const backend = await createOnnxBackend();
const setup = {};
const timed = async (name, work) => {
  const start = performance.now();
  const result = await work();
  setup[name] = performance.now() - start;
  return result;
};

const built = await timed("buildingMs", () =>
  buildLoss(buildEncoders({ ...createVitB32(), mode: "train" }), createInfoNce()),
);
const step = await timed("autodiffMs", () =>
  buildTrainStep({
    built,
    optimizer: createAdamw(
      adamwSchema.parse({ betas: [0.9, 0.98], epsilon: 1e-6, weightDecay: 0.2 }),
    ),
    binding: sizes,
    rematerialise,
  }),
);
const gradient = await timed("gradientPassesLoweringSessionMs", () =>
  backend.compile(step.gradient, { label: "gradient" }),
);
const update = await timed("updatePassesLoweringSessionMs", () =>
  backend.compile(step.update, { label: "update", donate: step.donate }),
);
const totalMs = Object.values(setup).reduce((sum, part) => sum + part, 0);
await gradient.dispose();
await update.dispose();
await timed("passesMs", () => {
  for (const graph of [step.gradient, step.update])
    prepareForBackend(graph, backend.capabilities, backend.name);
});

const trainer = await createTrainer();
const feeds = batchFor(step.batchInputs.map(({ name }) => name));
const runStep = async () => {
  const outcome = await trainer.runStep({ feeds }, { learningRate: 1e-5 });
  if (outcome.status !== "done") throw new Error(`bench: step: ${outcome.status}`);
};
for (let i = 0; i < 3; i += 1) await runStep();
const memory = { peakBytes: peakBytes(), deviceBytes: backend.memory().bytes };

const forward = createGraph("forward", { loss: built.loss });
const flops = 3 * countFlops(bindGraph(forward, sizes));
const rate = await createMatmulRate(backend);
const gaps = [];
const measured = await measureShare(rate, {
  flops,
  turns,
  products: 7,
  work: async () => gaps.push(await largestGap(runStep)),
});
await rate.dispose();
await trainer.dispose();
await backend.dispose();
giveResult({
  backend: backend.describe(),
  flops,
  setup: { ...setup, totalMs },
  memory,
  gaps,
  ...measured,
});

/** The first values are dropped before the first step: on the device they exist once. */
async function createTrainer() {
  const initial = firstValues(step.parameters);
  const made = await Trainer.create({ backend, step, initial, seed: 0 });
  initial.clear();
  globalThis.gc();
  return made;
}

/** Longest time between two ticks of a 5 ms timer while `work` runs. */
async function largestGap(work) {
  let last = performance.now();
  let largest = 0;
  const tick = () => {
    const now = performance.now();
    largest = Math.max(largest, now - last);
    last = now;
  };
  const timer = setInterval(tick, 5);
  await work();
  tick();
  clearInterval(timer);
  return largest;
}
