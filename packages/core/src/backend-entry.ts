/** Core for backends: the graph, the op tables and the passes. */
export * from "./graph/builder.js";
export * from "./graph/graph.js";
export * from "./graph/node.js";
export * from "./graph/op-def.js";
export * from "./graph/origin.js";
export * from "./graph/traverse.js";
export * from "./ops/composite-table.js";
export * from "./ops/primitive-defs.js";
export * from "./ops/primitive-table.js";
