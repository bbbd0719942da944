/** The input projections of attention over another sequence, as PyTorch's MultiheadAttention declares them. */
import {
  shapeOf,
  slice,
  xavierUniform,
  zeros,
  type BuildContext,
  type Initializer,
  type Value,
} from "@diptych/core";
import { applyLinear } from "./linear.js";

export interface AttentionInputsOptions {
  /** Width of the queries and of all that is projected. */
  readonly width: number;
  /** Width of the sequence that keys and values come from. */
  readonly memoryWidth: number;
  /** Xavier-uniform by default, as PyTorch. */
  readonly init?: Initializer;
}

/** Projects rows to queries (0), keys (1) or values (2): [..., width or memoryWidth] → [..., width]. */
export type ProjectInputs = (rows: Value, part: 0 | 1 | 2) => Value;

/**
 * One fused `in_proj_weight` [3·width, width] where both widths are equal, else `q_proj_weight`, `k_proj_weight`,
 * `v_proj_weight` [width, its own width]; `in_proj_bias` [3·width] either way.
 */
export function declareAttentionInputs(
  { scope }: BuildContext,
  { width, memoryWidth, init }: AttentionInputsOptions,
): ProjectInputs {
  const weights =
    memoryWidth === width
      ? split(
          scope.parameter("in_proj_weight", [3 * width, width], {
            initializer: init ?? xavierUniform(width, 3 * width),
          }),
        )
      : (["q", "k", "v"] as const).map((name) => {
          const fanIn = name === "q" ? width : memoryWidth;
          return scope.parameter(`${name}_proj_weight`, [width, fanIn], {
            initializer: init ?? xavierUniform(fanIn, width),
          });
        });
  const biases = split(scope.parameter("in_proj_bias", [3 * width], { initializer: zeros }));
  return (rows, part) => applyLinear(rows, weights[part]!, biases[part]);
}

/** Three parts of the first axis. */
function split(value: Value): readonly Value[] {
  const [rows = 0, ...rest] = shapeOf(value);
  const size = Number(rows) / 3;
  return [0, 1, 2].map((part) =>
    slice(value, [part * size, ...rest.map(() => 0)], [size, ...rest]),
  );
}
