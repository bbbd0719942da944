/** Core for plugins: declarations, the registry, and a run's container. */
export * from "./plugin/container.js";
export * from "./plugin/define-plugin.js";
export * from "./plugin/nearest-name.js";
export * from "./plugin/registry.js";
export * from "./plugin/tokens.js";
