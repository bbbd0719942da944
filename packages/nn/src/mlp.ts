/** The two-layer perceptron of a transformer block, with open_clip's names: `c_fc`, `c_proj`. */
import type { BuildContext, Initializer, Value } from "@diptych/core";
import { applyActivation, type Activation } from "./activation.js";
import { inScope } from "./in-scope.js";
import { buildLinear, lastSize } from "./linear.js";

export interface MlpOptions {
  readonly mlpDim: number;
  readonly activation?: Activation;
  /** PyTorch's default for Linear where not given. */
  readonly hiddenInit?: Initializer;
  readonly outputInit?: Initializer;
}

/** W₂·activation(W₁x + b₁) + b₂: x [..., width] → the same shape, through [..., mlpDim]. */
export function buildMlp(
  context: BuildContext,
  x: Value,
  { mlpDim, activation = "gelu", hiddenInit, outputInit }: MlpOptions,
): Value {
  const hidden = buildLinear(inScope(context, "c_fc"), x, {
    outFeatures: mlpDim,
    ...(hiddenInit ? { weightInit: hiddenInit } : {}),
  });
  return buildLinear(inScope(context, "c_proj"), applyActivation(activation, hidden), {
    outFeatures: lastSize(x, "nn/buildMlp"),
    ...(outputInit ? { weightInit: outputInit } : {}),
  });
}
