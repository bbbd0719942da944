/**
 * CLIP's ViT-L/14 as the paper trained it.
 *
 * Paper:    CLIP (arXiv:2103.00020), sections 2.3 to 2.5; table 18 for the hyper-parameters, table 20 for the model and
 *           its learning rate. QuickGELU as in OpenAI's code.
 * Command:  npx diptych train configs/clip-vit-l-14.ts --set data.train.path=/data/pairs.jsonl
 * Cost:     12 days on 256 V100 (paper, section 2.5): 3,072 V100 days. Forward pass of one pair: 175.33 GFLOPs (npx
 *           diptych inspect ViT-L/14).
 * Data:     a JSONL file that you have, one {"image": "path", "caption": "text"} a line. The paper's 400 million pairs
 *           are not public.
 * Limits:   the whole batch is one step on one machine, so a batch of 32,768 is refused with an estimate of its memory:
 *           lower training.batchSize to what the message says. Accumulating gradients under one contrastive loss
 *           (GradCache) and several devices are not built yet, nor is half precision; a smaller batch is another
 *           experiment than the paper's. The paper's one augmentation, a random square crop, is not among the
 *           transforms yet either: pictures are cropped in the centre.
 * Tiny:     npx diptych train configs/clip-vit-l-14.ts --tiny
 */
import {
  adamw,
  bpe,
  cosine,
  defineConfig,
  emoji,
  infoNce,
  jsonl,
  textTransformer,
  vit,
} from "diptych";

export default defineConfig({
  name: "clip-vit-l-14",
  seed: 0,
  model: {
    embedDim: 768,
    encoders: {
      image: vit({ variant: "L/14", activation: "quickGelu" }),
      text: textTransformer({ variant: "large", activation: "quickGelu" }),
    },
    // The temperature starts at 0.07 and is clipped so that logits are scaled by at most 100 (section 2.5).
    logitScale: { initial: 1 / 0.07, max: 100 },
  },
  tokenizer: bpe({ contextLength: 77, truncate: "cut" }),
  data: { train: jsonl({ path: "pairs.jsonl" }) },
  loss: infoNce(),
  // Decoupled weight decay on all weights that are not gains or biases (section 2.5), positional embeddings too.
  optimizer: adamw({ betas: [0.9, 0.98], epsilon: 1e-6, weightDecay: 0.2, decayRule: "legacy" }),
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
        image: { imageSize: 32, patchSize: 4, width: 64, layers: 3, heads: 4 },
        text: { width: 32, layers: 2, heads: 2 },
      },
    },
    tokenizer: { contextLength: 24, vocabulary: "used" },
    data: { train: emoji({ limit: 60 }) },
    schedule: { warmupSteps: 2 },
    training: { steps: 10, epochs: undefined, batchSize: 8, rematerialise: false, logEvery: 5 },
  },
});
