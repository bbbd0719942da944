/** Losses: contrastive, predicting texts, and their weighted sum. */
export { createBagOfWordsPrediction } from "./bag-of-words-prediction.js";
export { captionVocabulary, type CaptionVocabulary } from "./caption-vocabulary.js";
export { createCaptioning } from "./captioning.js";
export {
  bagOfWordsPrediction,
  bagOfWordsPredictionSchema,
  captioning,
  captioningSchema,
  coca,
  type BagOfWordsPredictionSettings,
  type CaptioningSettings,
  type CocaOptions,
} from "./generative-config.js";
export {
  distillation,
  distillationSchema,
  infoNce,
  infoNceSchema,
  sigmoidLoss,
  sigmoidSchema,
  supervisedContrastive,
  supervisedContrastiveSchema,
  weightedSum,
  weightedSumSchema,
} from "./config.js";
export { buildPositivesCrossEntropy } from "./cross-entropy.js";
export { createDistillation, type DistillationOptions } from "./distillation.js";
export { createInfoNce, type InfoNceOptions } from "./info-nce.js";
export { buildAccuracy, buildPositiveSimilarity } from "./metrics.js";
export { lossesPlugin } from "./plugin.js";
export { createSigmoidLoss, type SigmoidLossOptions } from "./sigmoid.js";
export { buildPairs, sampleInput, type Between, type Pairs } from "./similarity.js";
export {
  createSupervisedContrastive,
  type SupervisedContrastiveOptions,
} from "./supervised-contrastive.js";
export { createWeightedSum, type WeightedTerm } from "./weighted-sum.js";
