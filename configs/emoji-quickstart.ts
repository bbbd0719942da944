/**
 * The quickstart: a small residual image tower and a bag-of-words text tower on the emoji of npm packages.
 *
 * Paper:    CLIP (arXiv:2103.00020) for the pair of towers and the loss; Khosla et al. 2020 (arXiv:2004.11362) for the
 *           term between pictures of one concept.
 * Command:  npm run quickstart
 * Time:     300 s of training on 2 cores, and once about a minute of rendering.
 * Score:    Fluent (a style that training never saw), first guess among 1,586 names: see README.
 * Tiny:     npx diptych train configs/emoji-quickstart.ts --tiny
 */
import {
  adamw,
  bagOfWords,
  compactResNet,
  cosine,
  defineConfig,
  emoji,
  augment,
  infoNce,
  supervisedContrastive,
  weightedSum,
  words,
} from "diptych";

export default defineConfig({
  name: "emoji-quickstart",
  seed: 0,
  model: {
    embedDim: 128,
    encoders: {
      // The grid is flattened, not averaged: where a shape sits tells pictures of this size apart.
      image: compactResNet({
        imageSize: 32,
        widths: [32, 64, 128],
        downsample: "pool",
        head: "flatten",
        dropout: 0.05,
      }),
      // Captions are a few words: order says little, and a mean of word vectors learns several times faster.
      text: bagOfWords({ width: 128 }),
    },
    logitScale: { initial: 14 },
  },
  tokenizer: words({ contextLength: 24, truncate: "cut" }),
  data: {
    train: emoji({ split: "final", part: "train", mix: 0.2 }),
    // Weaker than the defaults: in five minutes, moving and recolouring drawings more costs more than it teaches.
    transform: augment({
      scale: 0.06,
      shift: 0.04,
      aspect: 0.04,
      rotation: 2,
      permute: 0.05,
      erase: 0.05,
      outline: 0.08,
      filter: 0.1,
      tint: 0.03,
    }),
    // Two pictures of each concept, from two families: they are positives of each other and of the caption.
    imagesPerSample: 2,
    captionsPerSample: 1,
    // A mean of words costs next to nothing: six times as many names to tell apart for a tenth more time.
    extraCaptions: 480,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  loss: weightedSum({
    terms: [
      { loss: infoNce({ positives: "apart" }), weight: 2 },
      { loss: supervisedContrastive({ modality: "image", temperature: 0.1 }), weight: 1 },
    ],
  }),
  optimizer: adamw({
    betas: [0.9, 0.98],
    weightDecay: 0.05,
    groups: [{ pattern: "token_embedding.weight", learningRateScale: 3 }],
  }),
  schedule: cosine({ learningRate: 3e-3, warmupFraction: 0.06 }),
  training: { batchSize: 96, duration: "300s", clipNorm: 1, ema: 0.995, logEvery: 20 },
  tiny: {
    training: { steps: 20, duration: undefined, batchSize: 8, logEvery: 5 },
    data: { train: { limit: 60 }, extraCaptions: 16 },
  },
});
