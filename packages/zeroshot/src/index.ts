/** Zero-shot evaluation: classification, retrieval, prompt ensembles and the ranking behind them. */
export { averagePrecision, labelRankingPrecision } from "./average-precision.js";
export { calibrationError, type CalibrationOptions } from "./calibration.js";
export { buildClassWeights, unitRows, type ClassWeightOptions } from "./class-weights.js";
export {
  clipBenchmarkFileName,
  clipBenchmarkResult,
  type ClipBenchmarkOptions,
  type ClipBenchmarkResult,
} from "./clip-benchmark.js";
export { classify, type ClassificationResult, type ClassifyOptions } from "./classify.js";
export { embedDataset, type EmbeddedSamples, type EmbedOptions } from "./embed-dataset.js";
export { meanPerClassRecall, recallAt } from "./metrics.js";
export { loadImagenetPrompts, type ImagenetPrompts } from "./prompts/imagenet.js";
export {
  fewShot,
  knn,
  linearProbe,
  retrieval,
  zeroshotClassification,
  zeroshotPlugin,
} from "./plugin.js";
export { rankOfBest, similarities, topCandidates, type Embeddings } from "./ranking.js";
export { findNearest, type NearestOptions, type Neighbours } from "./knn/nearest.js";
export {
  createLogisticFitter,
  eachLogisticScore,
  type LogisticFitOptions,
  type LogisticFitter,
  type LogisticModel,
} from "./linear-probe/fit-logistic.js";
export type { RetrievalSide } from "./retrieval/pairs.js";
export { rankPairs, type PairRanks, type RankPairsOptions } from "./retrieval/rank-pairs.js";
export { A_PHOTO_OF, fillTemplate, NAME_ONLY } from "./templates.js";
