// ViT-B/32 CLIP (batch 32, 77 tokens): a training step and inference, as shares of the machine's own rate of products
// in the same process; set-up time; peak memory; how long the main thread is blocked. Model FLOPs: forward counted from
// the graph's products, a step three times that. Each part runs in a process of its own.
import os from "node:os";
import { measureApart } from "./support/child-process.mjs";
import { matmulFlops } from "./support/matmul-rate.mjs";
import { median, spread } from "./support/statistics.mjs";

const [trainingTurns, inferenceTurns] = [7, 15];

export async function run() {
  const loadBefore = os.loadavg()[0];
  const training = await measureApart("clip-training.child.mjs", String(trainingTurns));
  const lean = await measureApart("clip-training.child.mjs", "3", "rematerialise");
  const { towers, ...inference } = await measureApart(
    "clip-inference.child.mjs",
    String(inferenceTurns),
  );
  const flops = towers.image.flops + towers.text.flops;
  const both = towers.image.milliseconds.map((time, i) => time + towers.text.milliseconds[i]);
  const products = towers.image.product.map((time, i) => (time + towers.text.product[i]) / 2);
  return {
    backend: training.backend,
    load: { before: loadBefore, after: os.loadavg()[0] },
    training: {
      stepMs: spread(training.milliseconds),
      modelFlops: training.flops,
      gflops: training.flops / median(training.milliseconds) / 1e6,
      matmulGflops: matmulFlops / median(training.product) / 1e6,
      share: spread(training.share),
      peakBytes: training.memory.peakBytes,
      deviceBytes: training.memory.deviceBytes,
      setup: training.setup,
      largestTimerGapMs: spread(training.gaps),
    },
    rematerialised: {
      stepMs: spread(lean.milliseconds),
      share: spread(lean.share),
      peakBytes: lean.memory.peakBytes,
      setup: lean.setup,
    },
    inference: {
      runMs: spread(both),
      modelFlops: flops,
      gflops: flops / median(both) / 1e6,
      matmulGflops: matmulFlops / median(products) / 1e6,
      share: {
        both: flops / median(both) / (matmulFlops / median(products)),
        image: spread(towers.image.share),
        text: spread(towers.text.share),
      },
      peakBytes: inference.peakBytes,
    },
  };
}
