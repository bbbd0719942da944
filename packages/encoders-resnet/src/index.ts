/** Residual image encoders. */
export {
  createCompactResNet,
  createResolvedCompactResNet,
  type CompactResNetDependencies,
} from "./compact-resnet-encoder.js";
export {
  compactResNet,
  compactResNetSchema,
  resolveCompactResNet,
  type CompactResNetOptions,
  type CompactResNetSettings,
  type StageSettings,
} from "./config.js";
export { resnetPlugin } from "./plugin.js";
