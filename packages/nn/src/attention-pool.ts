/** CLIP's attention pooling of a feature map (ModifiedResNet's AttentionPool2d): the mean asks, every place answers. */
import {
  add,
  attention,
  checkShapes,
  concat,
  mean,
  normal,
  reshape,
  shapeOf,
  sliceAxis,
  staticShape,
  transpose,
  type BuildContext,
  type Value,
} from "@diptych/core";
import { inScope } from "./in-scope.js";
import { buildLinear } from "./linear.js";

export interface AttentionPoolOptions {
  readonly heads: number;
  readonly embedDim: number;
}

/**
 * Multi-head attention whose only query is the spatial mean (OpenAI's clip/model.py, AttentionPool2d; open_clip
 * computes all queries and keeps the first: the same). `positional_embedding` [places+1, channels] is added first and,
 * unlike those of the transformers, decays; q, k, v and c projections have biases and start at N(0, channels^-1/2).
 *
 * @param x [batch, channels, height, width], sizes but the batch as numbers; heads divides channels.
 * @returns [batch, embedDim]
 */
export function buildAttentionPool(
  context: BuildContext,
  x: Value,
  { heads, embedDim }: AttentionPoolOptions,
): Value {
  const { batch } = checkShapes("nn/buildAttentionPool", [
    x,
    "x",
    ["batch", "channels", "height", "width"],
  ]);
  const sizes = staticShape(shapeOf(x).slice(1), "nn/buildAttentionPool");
  const [channels = 1, height = 1, width = 1] = sizes;
  const places = transpose(reshape(x, [batch, channels, height * width]), [0, 2, 1]);
  const tokens = concat([mean(places, { axes: [1], keepDims: true }), places], 1);
  const init = normal(channels ** -0.5);
  const table = context.scope.parameter("positional_embedding", [height * width + 1, channels], {
    initializer: init,
  });
  const positioned = add(tokens, table);
  const project = (name: string, value: Value, outFeatures: number): Value =>
    buildLinear(inScope(context, name), value, { outFeatures, weightInit: init });
  const perHead = (value: Value, count: number): Value =>
    transpose(reshape(value, [batch, count, heads, channels / heads]), [0, 2, 1, 3]);
  const query = perHead(project("q_proj", sliceAxis(positioned, 1, 0, 1), channels), 1);
  const key = perHead(project("k_proj", positioned, channels), height * width + 1);
  const value = perHead(project("v_proj", positioned, channels), height * width + 1);
  const { output } = attention(query, key, value, { scale: (channels / heads) ** -0.5 });
  return project("c_proj", reshape(output, [batch, channels]), embedDim);
}
