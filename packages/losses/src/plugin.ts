/** The plugin: contrastive losses and their weighted sum. */
import { definePlugin, loss } from "@diptych/core/plugin";
import {
  distillationSchema,
  infoNceSchema,
  sigmoidSchema,
  supervisedContrastiveSchema,
  weightedSumSchema,
} from "./config.js";
import { createDistillation } from "./distillation.js";
import { createInfoNce } from "./info-nce.js";
import { createSigmoidLoss } from "./sigmoid.js";
import { createSupervisedContrastive } from "./supervised-contrastive.js";
import { createWeightedSum } from "./weighted-sum.js";

export const lossesPlugin = definePlugin({
  name: "@diptych/losses",
  contract: 1,
  provides: [
    loss("info-nce", {
      summary: "CLIP's symmetric InfoNCE, with several positives",
      schema: infoNceSchema,
      create: createInfoNce,
    }),
    loss("sigmoid", {
      summary: "SigLIP's pairwise sigmoid loss",
      schema: sigmoidSchema,
      create: createSigmoidLoss,
    }),
    loss("supervised-contrastive", {
      summary: "between the samples of one modality that show one concept",
      schema: supervisedContrastiveSchema,
      create: createSupervisedContrastive,
    }),
    loss("distillation", {
      summary: "learning a trained model's similarities or features",
      schema: distillationSchema,
      create: ({ teacherDim, ...config }, { embedDim }) =>
        createDistillation({
          ...config,
          ...(teacherDim !== undefined
            ? { teacherDim }
            : config.match === "features"
              ? { teacherDim: embedDim }
              : {}),
        }),
    }),
    loss("weighted-sum", {
      summary: "several losses with weights",
      schema: weightedSumSchema,
      create: ({ terms }, { createLoss }) =>
        createWeightedSum(
          terms.map(({ loss: part, weight, name }) => ({
            loss: createLoss(part),
            weight,
            ...(name === undefined ? {} : { name }),
          })),
        ),
    }),
  ],
});
