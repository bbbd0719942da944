/** A pre-norm transformer block with open_clip's names: ln_1, attn, (ls_1), ln_2, mlp, (ls_2). */
import {
  add,
  constantInit,
  mul,
  normal,
  type BuildContext,
  type Initializer,
  type Value,
} from "@diptych/core";
import type { Activation } from "./activation.js";
import { inScope, within } from "./in-scope.js";
import { buildLayerNorm } from "./layer-norm.js";
import { lastSize } from "./linear.js";
import { buildMlp } from "./mlp.js";
import { buildSelfAttention } from "./multi-head-attention.js";

/** How a block's matrices start; PyTorch's defaults where not given. Biases always start as PyTorch's. */
export interface BlockInit {
  readonly attentionInput?: Initializer;
  readonly attentionOutput?: Initializer;
  readonly mlpHidden?: Initializer;
  readonly mlpOutput?: Initializer;
}

/**
 * OpenAI's initial values (clip/model.py `initialize_parameters`) of the blocks of a stack.
 *
 * @param branches Number of residual branches in the stack: two in each of its blocks.
 */
export function clipBlockInit(width: number, branches: number): BlockInit {
  const output = normal(width ** -0.5 * branches ** -0.5);
  return {
    attentionInput: normal(width ** -0.5),
    attentionOutput: output,
    mlpHidden: normal((2 * width) ** -0.5),
    mlpOutput: output,
  };
}

export interface BlockOptions {
  readonly heads: number;
  /** 4·width by default. */
  readonly mlpDim?: number;
  readonly activation?: Activation;
  readonly causal?: boolean;
  /** bool [batch, tokens]: which tokens may be attended to. */
  readonly keep?: Value;
  /** Start of LayerScale's gammas (arXiv:2103.17239); none without it. */
  readonly layerScale?: number;
  readonly normEpsilon?: number;
  readonly init?: BlockInit;
}

export interface BlockOutput {
  /** [batch, tokens, width] */
  readonly output: Value;
  /** [batch, heads, queries, keys] */
  readonly attention: Value;
}

/**
 * x + ls_1(attn(ln_1(x))), then y + ls_2(mlp(ln_2(y))).
 *
 * @param x [batch, tokens, width]
 */
export function buildTransformerBlock(
  context: BuildContext,
  x: Value,
  options: BlockOptions,
): BlockOutput {
  const { heads, causal = false, keep, layerScale, init = {} } = options;
  const attentionInput = buildLayerNorm(inScope(context, "ln_1"), x, {
    epsilon: options.normEpsilon,
  });
  const { output: attended, probabilities } = within(context, "attn", (inner) =>
    buildSelfAttention(inner, attentionInput, {
      heads,
      causal,
      ...(keep ? { keep } : {}),
      ...(init.attentionInput ? { inputInit: init.attentionInput } : {}),
      ...(init.attentionOutput ? { outputInit: init.attentionOutput } : {}),
    }),
  );
  const afterAttention = add(x, scaleLayer(inScope(context, "ls_1"), attended, layerScale));
  const transformed = buildMlpBranch(context, afterAttention, options);
  const scaled = scaleLayer(inScope(context, "ls_2"), transformed, layerScale);
  return { output: add(afterAttention, scaled), attention: probabilities };
}

/** mlp(ln_2(x)): the second branch of a block, whatever its attention looks at. */
export function buildMlpBranch(
  context: BuildContext,
  x: Value,
  options: Pick<BlockOptions, "mlpDim" | "activation" | "normEpsilon" | "init">,
): Value {
  const { activation = "gelu", init = {} } = options;
  const { mlpDim = 4 * lastSize(x, "nn/buildMlpBranch") } = options;
  const normed = buildLayerNorm(inScope(context, "ln_2"), x, { epsilon: options.normEpsilon });
  return within(context, "mlp", (inner) =>
    buildMlp(inner, normed, {
      mlpDim,
      activation,
      ...(init.mlpHidden ? { hiddenInit: init.mlpHidden } : {}),
      ...(init.mlpOutput ? { outputInit: init.mlpOutput } : {}),
    }),
  );
}

/** LayerScale: a learned factor per channel, `gamma` [width]. */
function scaleLayer({ scope }: BuildContext, x: Value, initial: number | undefined): Value {
  if (initial === undefined) return x;
  const width = lastSize(x, "nn/buildTransformerBlock");
  return mul(x, scope.parameter("gamma", [width], { initializer: constantInit(initial) }));
}
