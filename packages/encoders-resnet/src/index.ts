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
export {
  modifiedResNet,
  modifiedResNetSchema,
  resolveModifiedResNet,
  type ModifiedResNetOptions,
  type ModifiedResNetSettings,
} from "./modified-resnet-config.js";
export {
  createModifiedResNet,
  createResolvedModifiedResNet,
  type ModifiedResNetDependencies,
} from "./modified-resnet-encoder.js";
export { resnetPlugin } from "./plugin.js";
export {
  modifiedResNetVariants,
  type ModifiedResNetVariant,
  type ModifiedResNetVariantName,
} from "./variants.js";
