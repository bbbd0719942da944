/**
 * The towers of the CLIP paper, small: a vision transformer and a causal byte-pair transformer, on the quickstart's data.
 *
 * Paper:    CLIP (arXiv:2103.00020), §2.4 and table 20, scaled down.
 * Command:  npm run quickstart -- --config configs/emoji-clip.ts
 * Time:     300 s of training on 2 cores.
 * Score:    see README; at this size transformers learn several times slower (the message of the paper's figure 2).
 * Tiny:     npx diptych train configs/emoji-clip.ts --tiny
 */
import {
  adamw,
  bpe,
  cosine,
  defineConfig,
  emoji,
  augment,
  infoNce,
  textTransformer,
  vit,
} from "diptych";

export default defineConfig({
  name: "emoji-clip",
  seed: 0,
  model: {
    embedDim: 128,
    encoders: {
      image: vit({ imageSize: 32, patchSize: 4, width: 128, layers: 4, heads: 4 }),
      text: textTransformer({ width: 128, layers: 2, heads: 4 }),
    },
    logitScale: { initial: 14 },
  },
  // The vocabulary is cut to the ids that the captions use.
  tokenizer: bpe({ contextLength: 32, truncate: "cut", vocabulary: "used" }),
  data: {
    train: emoji({ split: "final", part: "train" }),
    transform: augment(),
    imagesPerSample: 2,
    captionsPerSample: 1,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  loss: infoNce(),
  optimizer: adamw({ betas: [0.9, 0.98], weightDecay: 0.1 }),
  schedule: cosine({ learningRate: 1e-3, warmupFraction: 0.06 }),
  training: { batchSize: 96, duration: "300s", clipNorm: 1, ema: 0.995, logEvery: 20 },
  tiny: {
    training: { steps: 10, duration: undefined, batchSize: 8, logEvery: 5 },
    data: { train: { limit: 60 } },
  },
});
