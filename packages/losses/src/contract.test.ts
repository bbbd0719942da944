import { describeLossContract } from "@diptych/testing";
import { createInfoNce } from "./info-nce.js";
import { createSigmoidLoss } from "./sigmoid.js";
import { createSupervisedContrastive } from "./supervised-contrastive.js";
import { createWeightedSum } from "./weighted-sum.js";

describeLossContract({ name: "info-nce", create: () => createInfoNce() });
describeLossContract({
  name: "info-nce, positives apart",
  create: () => createInfoNce({ positives: "apart" }),
});
describeLossContract({ name: "sigmoid", create: () => createSigmoidLoss(), logitBias: true });
describeLossContract({
  name: "supervised-contrastive",
  create: () => createSupervisedContrastive({ modality: "image", temperature: 0.1 }),
});
describeLossContract({
  name: "weighted-sum",
  create: () =>
    createWeightedSum([
      { loss: createInfoNce(), weight: 1 },
      { loss: createSupervisedContrastive({ modality: "image", temperature: 0.1 }), weight: 0.5 },
    ]),
});
