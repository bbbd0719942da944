/** A stack of transformer blocks under open_clip's names: `resblocks.0`, `resblocks.1`, … */
import { checkShapes, type BuildContext, type Value } from "@diptych/core";
import { within } from "./in-scope.js";
import { buildTransformerBlock, type BlockOptions } from "./transformer-block.js";

export interface TransformerOptions extends BlockOptions {
  readonly layers: number;
  /** Prefix of the names of inner values, e.g. `image`. */
  readonly path: string;
}

export interface TransformerOutput {
  /** [batch, tokens, width] */
  readonly output: Value;
  /** `<path>/block<i>` and `<path>/block<i>/attention`, i from 0. */
  readonly intermediates: Readonly<Record<string, Value>>;
}

/** Applies `layers` blocks one after another to x [batch, tokens, width]. */
export function buildTransformer(
  context: BuildContext,
  x: Value,
  { layers, path, ...block }: TransformerOptions,
): TransformerOutput {
  checkShapes("nn/buildTransformer", [x, "x", ["batch", "tokens", "width"]]);
  const intermediates: Record<string, Value> = {};
  let output = x;
  for (let i = 0; i < layers; i++) {
    const built = within(context, `resblocks.${i}`, (inner) =>
      buildTransformerBlock(inner, output, block),
    );
    output = built.output;
    intermediates[`${path}/block${i}`] = output;
    intermediates[`${path}/block${i}/attention`] = built.attention;
  }
  return { output, intermediates: Object.freeze(intermediates) };
}
