// Batches that losses are tried on.
import type { Batch } from "./formulas.test-support.js";
import { unitVectors } from "./losses.test-support.js";

/** Four pictures and five texts. Two pictures and a text are of one sample, two samples of one concept; one stands alone. */
export const mixed: Batch = {
  features: { image: unitVectors(4, 3, 1), text: unitVectors(5, 3, 2) },
  samples: { image: [5, 5, 6, 9], text: [5, 5, 6, 5, 7] },
  items: { image: [0, 0, 2, 3], text: [0, 1, 2, 4, 5] },
  logitScale: Math.log(7),
};

/** Each picture with its text. */
export const plain: Batch = {
  features: { image: unitVectors(4, 3, 1), text: unitVectors(4, 3, 2) },
  logitScale: Math.log(7),
};

const alike = { image: [1, 1, 1, 1], text: [1, 1, 1, 1] };

/** Batches at the edge of what a loss must bear, by what they are. */
export const extremes: Readonly<Record<string, Batch>> = {
  "one sample": {
    features: { image: unitVectors(1, 3, 1), text: unitVectors(1, 3, 2) },
    logitScale: Math.log(7),
  },
  "one concept": { ...plain, samples: alike },
  "one sample's rows": { ...plain, samples: alike, items: alike },
  "no positives": {
    ...plain,
    samples: { image: [1, 2, 3, 4], text: [5, 6, 7, 8] },
    items: { image: [0, 1, 2, 3], text: [4, 5, 6, 7] },
  },
  "logits of 10,000": { ...mixed, logitScale: Math.log(1e4) },
  "features all equal": {
    ...mixed,
    features: {
      image: mixed.features.image.map(() => [1, 0, 0]),
      text: mixed.features.text.map(() => [1, 0, 0]),
    },
    logitScale: Math.log(1e4),
  },
  "features all opposite": {
    ...mixed,
    features: {
      image: mixed.features.image.map(() => [1, 0, 0]),
      text: mixed.features.text.map(() => [-1, 0, 0]),
    },
    logitScale: Math.log(1e4),
  },
};
