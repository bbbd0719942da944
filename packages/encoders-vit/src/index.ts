/** Vision transformer image encoders. */
export {
  resolveVit,
  vit,
  vitSchema,
  type AttentionPoolSettings,
  type VitOptions,
  type VitSettings,
} from "./config.js";
export { buildPatchEmbedding } from "./patch-embedding.js";
export { vitPlugin } from "./plugin.js";
export { vitVariants, type VitVariant, type VitVariantName } from "./variants.js";
export { createResolvedVit, createVitEncoder, type VitDependencies } from "./vit-encoder.js";
