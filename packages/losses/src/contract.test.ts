import type { Loss } from "@diptych/core";
import { describeLossContract } from "@diptych/testing";
import { createHardNegatives } from "./hard-negatives.js";
import { createInfoNce } from "./info-nce.js";
import { createMatryoshka } from "./matryoshka.js";
import { createSigmoidLoss } from "./sigmoid.js";
import { createSupervisedContrastive } from "./supervised-contrastive.js";
import { createWeightedSum } from "./weighted-sum.js";

const losses: Readonly<Record<string, () => Loss>> = {
  "info-nce": () => createInfoNce(),
  "info-nce, positives apart": () => createInfoNce({ positives: "apart" }),
  "info-nce, duplicates masked": () =>
    createInfoNce({ duplicates: "masked", positives: "apart", labelSmoothing: 0.1 }),
  "info-nce, none of these": () =>
    createInfoNce({ noneOfThese: true, duplicates: "negatives", labelSmoothing: 0.1 }),
  sigmoid: () => createSigmoidLoss(),
  "sigmoid in chunks": () => createSigmoidLoss({ chunkSize: 3, duplicates: "masked" }),
  "hard-negatives": () => createHardNegatives(),
  "hard-negatives, corrected": () => createHardNegatives({ beta: 1, tauPlus: 0.1, alpha: 0.5 }),
  "supervised-contrastive": () => createSupervisedContrastive({ temperature: 0.1 }),
  matryoshka: () => createMatryoshka({ loss: createInfoNce(), dims: [2, 4], weights: [1, 0.5] }),
  "weighted-sum": () =>
    createWeightedSum([
      { loss: createInfoNce(), weight: 1 },
      { loss: createSupervisedContrastive({ temperature: 0.1 }), weight: 0.5 },
      { loss: createMatryoshka({ loss: createSigmoidLoss({ chunkSize: 2 }), dims: [3] }) },
    ]),
};

for (const [name, create] of Object.entries(losses)) describeLossContract({ name, create });
