/** The plugin: contrastive losses, losses that predict texts, and their weighted sum. */
import { definePlugin, loss } from "@diptych/core/plugin";
import { createBagOfWordsPrediction } from "./bag-of-words-prediction.js";
import { captionVocabulary } from "./caption-vocabulary.js";
import { createCaptioning } from "./captioning.js";
import { checkCausal } from "./check-causal.js";
import {
  distillationSchema,
  hardNegativesSchema,
  infoNceSchema,
  matryoshkaSchema,
  sigmoidSchema,
  supervisedContrastiveSchema,
  weightedSumSchema,
} from "./config.js";
import { createDistillation } from "./distillation.js";
import { bagOfWordsPredictionSchema, captioningSchema } from "./generative-config.js";
import { createHardNegatives } from "./hard-negatives.js";
import { createInfoNce } from "./info-nce.js";
import { checkMatryoshkaDims, createMatryoshka, matryoshkaDims } from "./matryoshka.js";
import { createSigmoidLoss } from "./sigmoid.js";
import { createSupervisedContrastive } from "./supervised-contrastive.js";
import { createWeightedSum } from "./weighted-sum.js";

export const lossesPlugin = definePlugin({
  name: "@diptych/losses",
  contract: 1,
  provides: [
    loss("info-nce", {
      summary: "CLIP's symmetric InfoNCE, with several positives, duplicates, label smoothing",
      schema: infoNceSchema,
      create: createInfoNce,
    }),
    loss("sigmoid", {
      summary: "SigLIP's pairwise sigmoid loss, at once or in chunks",
      schema: sigmoidSchema,
      create: createSigmoidLoss,
    }),
    loss("hard-negatives", {
      summary: "InfoNCE that weighs hard negatives more (HN-NCE, Robinson et al.)",
      schema: hardNegativesSchema,
      create: createHardNegatives,
    }),
    loss("supervised-contrastive", {
      summary: "between the samples of one modality that show one concept",
      schema: supervisedContrastiveSchema,
      create: createSupervisedContrastive,
    }),
    loss("captioning", {
      summary: "a text decoder that says what a picture shows, also CoCa's",
      schema: captioningSchema,
      create: (config, { encoders, tokenizer }) => {
        if (config.over === "tokens") checkCausal(config.text, encoders);
        return createCaptioning(config, captionVocabulary("losses/captioning", tokenizer));
      },
    }),
    loss("bag-of-words-prediction", {
      summary: "which words the caption has, from the picture's features",
      schema: bagOfWordsPredictionSchema,
      create: (config, { tokenizer }) =>
        createBagOfWordsPrediction(
          config,
          captionVocabulary("losses/bag-of-words-prediction", tokenizer),
        ),
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
    loss("matryoshka", {
      summary: "another loss on prefixes of the features",
      schema: matryoshkaSchema,
      create: ({ loss: part, ...settings }, { embedDim, createLoss }) => {
        const dims = settings.dims ?? matryoshkaDims(embedDim);
        checkMatryoshkaDims(dims, embedDim);
        return createMatryoshka({ ...settings, dims, loss: createLoss(part) });
      },
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
