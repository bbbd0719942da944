/** All contracts in one place. */
export * from "./backend.js";
export * from "./checkpoint-format.js";
export * from "./dataset.js";
export * from "./encoder.js";
export * from "./evaluator.js";
export * from "./input-specs.js";
export * from "./logger.js";
export * from "./loss.js";
export * from "./optimizer.js";
export * from "./random-inputs.js";
export * from "./tokenizer.js";
export * from "./training-precision.js";
