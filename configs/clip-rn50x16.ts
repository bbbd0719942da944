/**
 * CLIP's RN50x16 as the paper trained it.
 *
 * Paper:    CLIP (arXiv:2103.00020), sections 2.3 to 2.5; table 18 for the hyper-parameters, table 19 for the model and
 *           its learning rate. QuickGELU as in OpenAI's code.
 * Command:  npx diptych train configs/clip-rn50x16.ts --set data.train.path=/data/pairs.jsonl
 * Cost:     about 3,000 V100 days. Our estimate: three times the forward FLOPs of 12.8 billion pairs, at the 24 TFLOP/s
 *           a V100 that the paper's two figures imply. Forward pass of one pair: 162.69 GFLOPs (npx diptych inspect
 *           RN50x16).
 * Data:     a JSONL file that you have, one {"image": "path", "caption": "text"} a line. The paper's 400 million pairs
 *           are not public.
 * Limits:   the whole batch is one step on one machine, so a batch of 32,768 is refused with an estimate of its memory:
 *           lower training.batchSize to what the message says. Accumulating gradients under one contrastive loss
 *           (GradCache) and several devices are not built yet, nor is half precision; a smaller batch is another
 *           experiment than the paper's. The paper's one augmentation, a random square crop, is not among the
 *           transforms yet either: pictures are cropped in the centre.
 * Tiny:     npx diptych train configs/clip-rn50x16.ts --tiny
 */
import {
  adamw,
  bpe,
  cosine,
  defineConfig,
  emoji,
  infoNce,
  jsonl,
  modifiedResNet,
  textTransformer,
} from "diptych";

export default defineConfig({
  name: "clip-rn50x16",
  seed: 0,
  model: {
    embedDim: 768,
    encoders: {
      image: modifiedResNet({ variant: "RN50x16" }),
      text: textTransformer({ variant: "large", activation: "quickGelu" }),
    },
    // The temperature starts at 0.07 and is clipped so that logits are scaled by at most 100 (section 2.5).
    logitScale: { initial: 1 / 0.07, max: 100 },
  },
  tokenizer: bpe({ contextLength: 77, truncate: "cut" }),
  data: { train: jsonl({ path: "pairs.jsonl" }) },
  loss: infoNce(),
  // Decoupled weight decay on all weights that are not gains or biases (section 2.5), positional embeddings too.
  optimizer: adamw({ betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.2, decayRule: "legacy" }),
  schedule: cosine({ learningRate: 4e-4, warmupSteps: 2000 }),
  training: {
    epochs: 32,
    batchSize: 32768,
    clipNorm: null,
    rematerialise: true,
    checkpointEvery: 500,
  },
  tiny: {
    model: {
      embedDim: 32,
      encoders: {
        image: { imageSize: 64, width: 12, layers: [1, 1, 2, 1], heads: 6 },
        text: { width: 32, layers: 2, heads: 2 },
      },
    },
    tokenizer: { contextLength: 24, vocabulary: "used" },
    data: { train: emoji({ limit: 60 }) },
    schedule: { warmupSteps: 2 },
    training: { steps: 10, epochs: undefined, batchSize: 8, rematerialise: false, logEvery: 5 },
  },
});
