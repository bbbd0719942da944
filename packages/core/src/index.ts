/** Core for users: tensors, ops, contracts, errors. Plugins import `@diptych/core/plugin`, backends `@diptych/core/backend`. */
export * from "./contracts/index.js";
export * from "./errors.js";
export * from "./graph/builder.js";
export * from "./graph/graph.js";
export * from "./graph/node.js";
export * from "./graph/origin.js";
export * from "./graph/param-scope.js";
export * from "./ops/index.js";
export * from "./random/initializers.js";
export * from "./random/prng-contract.js";
export * from "./tensor/broadcast.js";
export * from "./tensor/dim.js";
export * from "./tensor/dtype.js";
export * from "./tensor/host-tensor.js";
export * from "./tensor/shape.js";
