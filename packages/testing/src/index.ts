/** Contract suites for plugins and backends, on vitest. */
export { describeWhereAvailable, whyMissing } from "./backend/availability.js";
export {
  describeBackendConformance,
  type BackendConformanceOptions,
} from "./backend/conformance.js";
export {
  describeCheckpointFormatContract,
  type CheckpointFormatContractOptions,
} from "./contracts/checkpoint-format.js";
export { describeDatasetContract, type DatasetContractOptions } from "./contracts/dataset.js";
export { describeEncoderContract, type EncoderContractOptions } from "./contracts/encoder.js";
export { describeLossContract, type LossContractOptions } from "./contracts/loss.js";
export { describeOptimizerContract, type OptimizerContractOptions } from "./contracts/optimizer.js";
export { describeTokenizerContract, type TokenizerContractOptions } from "./contracts/tokenizer.js";
export type { ContractCheck } from "./contract-check.js";
export { createPart } from "./create-part.js";
export { expectClose, findDifference, type Closeness, type Comparable } from "./matchers.js";
export { caseTolerance, TOLERANCES } from "./tolerances.js";
