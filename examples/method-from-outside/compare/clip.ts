/**
 * The baseline: a small vision transformer and a bag of words with CLIP's loss, trained on the drawings of three emoji
 * families and measured on a fourth, whose style training never sees.
 */
import {
  adamw,
  bagOfWords,
  cosine,
  defineConfig,
  emoji,
  infoNce,
  vit,
  words,
  zeroshotClassification,
} from "diptych";

export default defineConfig({
  name: "clip",
  model: {
    embedDim: 64,
    encoders: {
      image: vit({ imageSize: 32, patchSize: 4, width: 64, layers: 3, heads: 4 }),
      text: bagOfWords({ width: 64 }),
    },
    logitScale: { initial: 14 },
  },
  tokenizer: words({ contextLength: 24, truncate: "cut" }),
  data: { train: emoji(), mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  loss: infoNce(),
  optimizer: adamw({ betas: [0.9, 0.98], weightDecay: 0.05 }),
  schedule: cosine({ learningRate: 2e-3, warmupFraction: 0.05 }),
  training: { batchSize: 96, epochs: 20 },
  evaluators: [
    {
      name: "new style",
      evaluator: zeroshotClassification({ label: "name", templates: ["{}"] }),
      dataset: emoji({ part: "heldOutStyle" }),
    },
  ],
  // `--tiny`: everything once, in seconds.
  tiny: {
    data: { train: { limit: 40 } },
    training: { epochs: undefined, steps: 4, batchSize: 8 },
    evaluators: [
      {
        name: "new style",
        evaluator: zeroshotClassification({ label: "name", templates: ["{}"] }),
        dataset: emoji({ part: "heldOutStyle", limit: 40 }),
      },
    ],
  },
});
