export * from "./bpe/index.js";
export * from "./words/index.js";
