/**
 * What both sides of the comparison of losses share: the quickstart's towers and data at a size of about a minute a run,
 * and what is measured: naming drawings of a style that training never saw, of concepts that it saw and that it did not.
 */
import {
  adamw,
  augment,
  bagOfWords,
  compactResNet,
  cosine,
  defineConfig,
  emoji,
  words,
  zeroshotClassification,
} from "diptych";

type Config = Parameters<typeof defineConfig>[0];

/** The variant `name` with its own loss, and the scale and bias of similarities that the loss's paper begins with. */
export function compared(
  name: string,
  {
    loss,
    logitScale,
    logitBias,
  }: {
    readonly loss: Config["loss"];
    readonly logitScale: number;
    readonly logitBias?: number;
  },
): Config {
  return defineConfig({
    name,
    seed: 0,
    model: {
      embedDim: 128,
      encoders: {
        image: compactResNet({
          imageSize: 32,
          widths: [32, 64, 128],
          downsample: "pool",
          head: "flatten",
          dropout: 0.05,
        }),
        text: bagOfWords({ width: 128 }),
      },
      logitScale: { initial: logitScale },
      ...(logitBias === undefined ? {} : { logitBias }),
    },
    tokenizer: words({ contextLength: 24, truncate: "cut" }),
    data: {
      train: emoji({ split: "final", part: "train", mix: 0.2 }),
      transform: augment(),
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    loss,
    optimizer: adamw({ betas: [0.9, 0.98], weightDecay: 0.05 }),
    schedule: cosine({ learningRate: 3e-3, warmupFraction: 0.06 }),
    training: { batchSize: 128, steps: 500, clipNorm: 1, ema: 0.99, logEvery: 20 },
    evaluators: heldOut(),
    tiny: {
      training: { steps: 4, batchSize: 8, logEvery: 2 },
      data: { train: { limit: 60 } },
      evaluators: heldOut(300),
    },
  });
}

/** @param limit About how many concepts; all by default. */
function heldOut(limit?: number) {
  const evaluator = zeroshotClassification({ label: "name", templates: ["{}"] });
  const some = limit === undefined ? {} : { limit };
  return [
    {
      name: "new style",
      evaluator,
      dataset: emoji({ split: "final", part: "heldOutStyle", ...some }),
    },
    {
      name: "new concepts",
      evaluator,
      dataset: emoji({ split: "final", part: "heldOutConcepts", ...some }),
    },
  ];
}
