/** The model: a map of encoders into one joint space, its losses, its parameters. */
export {
  buildEncoders,
  NORMALIZE_EPSILON,
  withDeclarations,
  type BuildEncodersOptions,
  type BuiltModel,
} from "./build-encoders.js";
export { buildLoss, lossContext, type BuildLossOptions, type BuiltLoss } from "./build-loss.js";
export { encoderScope, type TextPrefix } from "./encoder-scopes.js";
export { countParameters, initialiseParameters } from "./init-params.js";
export { lossParts, partsOfScope } from "./loss-parts.js";
export {
  CLIP_LOGIT_SCALE,
  createConfiguredModel,
  createMultiEncoder,
  SIGLIP_LOGIT_BIAS,
  SIGLIP_LOGIT_SCALE,
  type LogitScaleOptions,
  type MultiEncoder,
  type MultiEncoderOptions,
} from "./multi-encoder.js";
export { decays, type DecayRule } from "./param-rules.js";
export { createRandomInputs, type RandomInputCollector } from "./random-inputs.js";
