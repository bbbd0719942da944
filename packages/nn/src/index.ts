/** Layers that towers share, with the parameter names of PyTorch and open_clip. */
export { ACTIVATIONS, applyActivation, type Activation } from "./activation.js";
export { attentionMask, causalMask, type AttentionMaskOptions } from "./attention-mask.js";
export {
  buildAttentionPool,
  type AttentionPoolOptions,
  type AttentionPoolOutput,
} from "./attention-pool.js";
export {
  buildAttentionalPooler,
  type AttentionalPoolerOptions,
  type AttentionalPoolerOutput,
} from "./attentional-pooler.js";
export { attentionProbabilities } from "./attention-probabilities.js";
export {
  BATCH_NORM_MODES,
  buildBatchNorm,
  type BatchNormMode,
  type BatchNormOptions,
} from "./batch-norm.js";
export { buildConv2d, type ConvLayerOptions } from "./conv.js";
export { buildCrossAttentionBlock, type CrossBlockOptions } from "./cross-attention-block.js";
export { buildCrossAttention, type CrossAttentionOptions } from "./cross-attention.js";
export { buildDropout } from "./dropout.js";
export { buildEmbedding, type EmbeddingOptions } from "./embedding.js";
export { inScope, within } from "./in-scope.js";
export {
  applyLayerNorm,
  buildLayerNorm,
  declareLayerNorm,
  LAYER_NORM_EPSILON,
  type LayerNormWeights,
} from "./layer-norm.js";
export {
  applyLinear,
  buildLinear,
  buildProjection,
  declareLinear,
  lastSize,
  type LinearOptions,
  type LinearWeights,
  type ProjectionOptions,
} from "./linear.js";
export { buildMlp, type MlpOptions } from "./mlp.js";
export {
  buildSelfAttention,
  type SelfAttentionOptions,
  type SelfAttentionOutput,
} from "./multi-head-attention.js";
export {
  buildMultimodalTransformer,
  type MultimodalTransformerOptions,
} from "./multimodal-transformer.js";
export {
  buildPositionEmbedding,
  buildSinCosPositions,
  sinCos2d,
  type PositionEmbeddingOptions,
  type SinCosOptions,
} from "./position-embedding.js";
export { fromRows, takeTokens, toRows } from "./rows.js";
export {
  buildTransformerBlock,
  clipBlockInit,
  type BlockInit,
  type BlockOptions,
  type BlockOutput,
} from "./transformer-block.js";
export {
  buildTransformer,
  type TransformerOptions,
  type TransformerOutput,
} from "./transformer.js";
