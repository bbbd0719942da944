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
  hardNegatives,
  hardNegativesSchema,
  infoNce,
  infoNceSchema,
  matryoshka,
  matryoshkaSchema,
  sigmoidLoss,
  sigmoidSchema,
  supervisedContrastive,
  supervisedContrastiveSchema,
  weightedSum,
  weightedSumSchema,
} from "./config.js";
export { buildPositivesCrossEntropy, type CrossEntropyOptions } from "./cross-entropy.js";
export { createDistillation, type DistillationOptions } from "./distillation.js";
export { createHardNegatives, type HardNegativesOptions } from "./hard-negatives.js";
export { createInfoNce, type InfoNceOptions } from "./info-nce.js";
export { createMatryoshka, matryoshkaDims, type MatryoshkaOptions } from "./matryoshka.js";
export { lossesPlugin } from "./plugin.js";
export { createSigmoidLoss, type SigmoidLossOptions } from "./sigmoid.js";
export {
  buildPairs,
  pairInputs,
  type Between,
  type Duplicates,
  type PairOptions,
  type Pairs,
} from "./similarity.js";
export {
  createSupervisedContrastive,
  type SupervisedContrastiveOptions,
} from "./supervised-contrastive.js";
export { createWeightedSum, type WeightedTerm } from "./weighted-sum.js";
