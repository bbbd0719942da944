/** Text that looks at pictures: causal blocks and blocks over a picture's tokens in turn, under open_clip's names. */
import {
  broadcast,
  checkShapes,
  mulDims,
  reshape,
  ShapeError,
  type BuildContext,
  type Value,
} from "@diptych/core";
import { buildCrossAttentionBlock, type CrossBlockOptions } from "./cross-attention-block.js";
import { within } from "./in-scope.js";
import { lastSize } from "./linear.js";
import { buildTransformerBlock } from "./transformer-block.js";

export interface MultimodalTransformerOptions extends CrossBlockOptions {
  /** Each is a causal block and a block over the picture. */
  readonly layers: number;
  /** `rows`: text i looks at picture i. `all`: every text looks at every picture. */
  readonly pairs: "rows" | "all";
}

/**
 * `resblocks.<i>` (causal self-attention) and then `cross_attn.<i>` (attention over the picture), for each layer:
 * open_clip's MultimodalTransformer (CoCa, arXiv:2205.01917 §3.2) up to its last norm. No position sees a later one.
 *
 * With `all`, what does not depend on the picture (the first causal block) is computed once a text, and what does not
 * depend on the text (keys and values) once a picture.
 *
 * @param x [texts, tokens, width]; `memory` [images, keys, memoryWidth].
 * @returns [images, texts, tokens, width] for `all`, and [images, 1, tokens, width] for `rows`.
 * @throws ShapeError where there are no layers, or with `rows` as many texts as pictures are not given.
 */
export function buildMultimodalTransformer(
  context: BuildContext,
  { x, memory }: { readonly x: Value; readonly memory: Value },
  { layers, pairs, ...block }: MultimodalTransformerOptions,
): Value {
  const what = "nn/buildMultimodalTransformer";
  if (layers < 1) {
    throw new ShapeError(`${what}: layers: expected at least 1, got ${layers}.`);
  }
  const { images, texts, tokens } = checkShapes(
    what,
    [memory, "memory", ["images", "keys", "memoryWidth"]],
    [x, "x", [pairs === "rows" ? "images" : "texts", "tokens", "width"]],
    [x, "x", ["texts", "tokens", "width"]],
  );
  const width = lastSize(x, what);
  const each = pairs === "rows" ? 1 : texts;
  let rows = x;
  for (let i = 0; i < layers; i++) {
    const said = within(context, `resblocks.${i}`, (inner) =>
      buildTransformerBlock(inner, rows, { ...block, causal: true }),
    ).output;
    // The first block has seen texts alone: from here on there is a row for every pair.
    const paired =
      i === 0 && pairs === "all"
        ? broadcast(reshape(said, [1, texts, tokens, width]), [images, texts, tokens, width])
        : said;
    const seen = within(context, `cross_attn.${i}`, (inner) =>
      buildCrossAttentionBlock(
        inner,
        { x: reshape(paired, [images, mulDims(each, tokens), width]), memory },
        block,
      ),
    );
    rows = reshape(seen, [mulDims(images, each), tokens, width]);
  }
  return reshape(rows, [images, each, tokens, width]);
}
