/**
 * Trains the encoder of `color-grid.ts` on the emoji set.
 *
 * Command:  npx diptych train examples/color-grid/config.ts
 * Time:     about half a minute on 2 cores.
 */
import { adamw, bagOfWords, cosine, defineConfig, emoji, infoNce, words } from "diptych";
import { colorGrid, colorGridPlugin } from "./color-grid.js";

export default defineConfig({
  name: "color-grid",
  plugins: [colorGridPlugin],
  model: {
    embedDim: 64,
    encoders: { image: colorGrid({ cell: 4 }), text: bagOfWords({ width: 64 }) },
  },
  tokenizer: words(),
  data: { train: emoji(), imagesPerSample: 2, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  loss: infoNce(),
  optimizer: adamw({ weightDecay: 0.05 }),
  schedule: cosine({ learningRate: 2e-3, warmupFraction: 0.05 }),
  training: { batchSize: 128, steps: 600, logEvery: 20 },
  tiny: { training: { steps: 5, batchSize: 8, logEvery: 1 }, data: { train: { limit: 40 } } },
});
