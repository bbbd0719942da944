/** Contract suites for plugins and backends, on vitest. */
export {
  describeBackendConformance,
  type BackendConformanceOptions,
} from "./backend/conformance.js";
export type { ContractCheck } from "./contract-check.js";
export { expectClose, findDifference, type Closeness, type Comparable } from "./matchers.js";
export { caseTolerance, TOLERANCES } from "./tolerances.js";
