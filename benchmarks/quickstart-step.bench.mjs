// The quickstart's training step (96 concepts, 192 pictures of 32 pixels): its share of the machine's own rate of
// products, pictures a second with one batch fed again and again and with the loader beside it, and how long a step
// waits for its batch once warm.
import os from "node:os";
import { createOnnxBackend } from "@diptych/backend-onnx";
import { constantSchema, createConstant } from "@diptych/training";
import { createMatmulRate, matmulFlops, measureShare } from "./support/matmul-rate.mjs";
import { openRun } from "./support/quickstart-run.mjs";
import { median, spread } from "./support/statistics.mjs";

const [warmUp, turns, loadedSteps] = [5, 40, 80];
const learningRate = 1e-4;

export async function run() {
  const backend = await createOnnxBackend();
  const { flops, images, trainer, loader } = await openRun("configs/emoji-quickstart.ts", backend);
  const rate = await createMatmulRate(backend);
  try {
    const feeds = await firstBatch(loader);
    const work = async () => {
      const outcome = await trainer.runStep({ feeds }, { learningRate });
      if (outcome.status !== "done") throw new Error(`bench: step: ${outcome.status}`);
    };
    for (let i = 0; i < warmUp; i += 1) await work();
    const measured = await measureShare(rate, { work, flops, turns, products: 1 });
    const loaded = await fitWithLoader(trainer, loader);
    return {
      backend: backend.describe(),
      load: os.loadavg()[0],
      images,
      modelFlops: flops,
      stepMs: spread(measured.milliseconds),
      share: spread(measured.share),
      gflops: flops / median(measured.milliseconds) / 1e6,
      matmulGflops: matmulFlops / median(measured.product) / 1e6,
      imagesPerSecond: {
        oneBatch: (1000 * images) / median(measured.milliseconds),
        withLoader: median(loaded.map(({ imagesPerSecond }) => imagesPerSecond)),
      },
      withLoader: {
        stepMs: spread(loaded.map(({ stepMs }) => stepMs)),
        meanWaitMs: loaded.reduce((sum, { waitMs }) => sum + waitMs, 0) / loaded.length,
        waitMs: spread(loaded.map(({ waitMs }) => waitMs)),
      },
    };
  } finally {
    await rate.dispose();
    await trainer.dispose();
    await backend.dispose();
  }
}

async function firstBatch(loader) {
  for await (const { feeds } of loader.batches()) {
    // A copy: the loader reuses its memory.
    return structuredClone(feeds);
  }
  throw new Error("bench: loader: expected a batch, got none");
}

/** Events of the steps after the warm-up. */
async function fitWithLoader(trainer, loader) {
  const steps = [];
  await trainer.fit({
    batches: loader.batches({ startStep: trainer.step }),
    schedule: createConstant(constantSchema.parse({ learningRate }), { totalSteps: loadedSteps }),
    totalSteps: trainer.step + warmUp + loadedSteps,
    on: (event) => {
      if (event.event === "step") steps.push(event);
    },
  });
  return steps.slice(warmUp);
}
