/** Core's oracle: the float64 evaluator, gradient checks by central differences, and the cases that every backend must pass. */
export * from "./reference/evaluate.js";
export * from "./reference/float64-tensor.js";
export * from "./reference/reference-backend.js";
export * from "./reference/gradient-check.js";
export { OP_CASES, opCasesOf } from "./reference/op-cases.js";
export {
  DEFAULT_TOLERANCE,
  type CaseInput,
  type Expectation,
  type OpCase,
  type ValueSource,
} from "./reference/op-cases/op-case.js";
export { buildCase, caseFeeds, caseGraph, type BuiltCase } from "./reference/op-cases/run-case.js";
