/** Core's oracle: the float64 evaluator, gradient checks by central differences, and the cases that every backend must pass. */
export * from "./reference/bind-feeds.js";
export * from "./reference/evaluate.js";
export * from "./reference/float64-tensor.js";
