/**
 * What the four methods of figure 2 share: pictures, captions, image tower, batches, optimizer, and what is measured.
 *
 * Paper: CLIP (arXiv:2103.00020) §2.3 and figure 2: zero-shot accuracy against samples seen.
 */
import {
  adamw,
  augment,
  bpe,
  compactResNet,
  cosine,
  defineConfig,
  emoji,
  zeroshotClassification,
} from "diptych";

type Config = Parameters<typeof defineConfig>[0];

/** The variant `name` with its own text side: the text tower and the loss. */
export function figure2(
  name: string,
  {
    text,
    loss,
  }: { readonly text: Config["model"]["encoders"][string]; readonly loss: Config["loss"] },
): Config {
  return defineConfig({
    name: `figure2-${name}`,
    seed: 0,
    model: {
      embedDim: 128,
      encoders: {
        image: compactResNet({ imageSize: 32, downsample: "pool", dropout: 0.05 }),
        text,
      },
      logitScale: { initial: 14 },
    },
    // One tokenizer for all four, cut to the ids that the captions use.
    tokenizer: bpe({ contextLength: 16, truncate: "cut", vocabulary: "used" }),
    data: {
      train: emoji({ split: "final", part: "train" }),
      transform: augment(),
      imagesPerSample: 2,
      captionsPerSample: 1,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    loss,
    optimizer: adamw({ betas: [0.9, 0.98], weightDecay: 0.05 }),
    schedule: cosine({ learningRate: 2e-3, warmupFraction: 0.06 }),
    training: { batchSize: 96, steps: 300, clipNorm: 1, logEvery: 20 },
    evaluators: [newStyle(250)],
    tiny: {
      training: { steps: 4, batchSize: 8, logEvery: 2 },
      data: { train: { limit: 60 } },
      evaluators: [newStyle(20)],
    },
  });
}

/**
 * Naming drawings in a style that training never saw, among `concepts` names: each model by what its loss taught it, the
 * similarity of features or the probability of the name given the picture. As many names as concepts, since a decoder
 * runs once for each pair.
 */
function newStyle(concepts: number) {
  return {
    name: "new style",
    evaluator: zeroshotClassification({ label: "name", templates: ["{}"], scores: "own" }),
    dataset: emoji({ split: "final", part: "heldOutStyle", limit: concepts }),
  };
}
