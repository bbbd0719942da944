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
  type Dim,
  type Value,
} from "@diptych/core";
import { attentionProbabilities } from "./attention-probabilities.js";
import { splitHeads } from "./heads.js";
import { inScope } from "./in-scope.js";
import { applyLinear, buildLinear, declareLinear } from "./linear.js";

export interface AttentionPoolOptions {
  readonly heads: number;
  readonly embedDim: number;
}

export interface AttentionPoolOutput {
  /** [batch, embedDim] */
  readonly output: Value;
  /** What the pool would return if it attended to one place alone: [batch, height·width, embedDim], row by row. */
  readonly places: Value;
  /** [batch, heads, 1, height·width+1]; the first key is the mean. Computed only in graphs that ask for it. */
  readonly probabilities: Value;
}

/**
 * Multi-head attention whose only query is the spatial mean (OpenAI's clip/model.py, AttentionPool2d; open_clip
 * computes all queries and keeps the first: the same). `positional_embedding` [places+1, channels] is added first and,
 * unlike those of the transformers, decays; q, k, v and c projections have biases and start at N(0, channels^-1/2).
 *
 * @param x [batch, channels, height, width], sizes but the batch as numbers; heads divides channels.
 */
export function buildAttentionPool(
  context: BuildContext,
  x: Value,
  { heads, embedDim }: AttentionPoolOptions,
): AttentionPoolOutput {
  const { batch } = checkShapes("nn/buildAttentionPool", [
    x,
    "x",
    ["batch", "channels", "height", "width"],
  ]);
  const sizes = staticShape(shapeOf(x).slice(1), "nn/buildAttentionPool");
  const [channels = 1, height = 1, width = 1] = sizes;
  const places = height * width;
  const positioned = withMeanAndPositions(context, x, { batch, channels, places });
  const weightInit = normal(channels ** -0.5);
  const project = (name: string, value: Value): Value =>
    buildLinear(inScope(context, name), value, { outFeatures: channels, weightInit });
  const query = splitHeads(project("q_proj", sliceAxis(positioned, 1, 0, 1)), heads);
  const key = splitHeads(project("k_proj", positioned), heads);
  const values = project("v_proj", positioned);
  const scale = (channels / heads) ** -0.5;
  const attended = attention(query, key, splitHeads(values, heads), { scale });
  const last = declareLinear(inScope(context, "c_proj"), channels, {
    outFeatures: embedDim,
    weightInit,
  });
  const finish = (value: Value): Value => applyLinear(value, last.weight, last.bias);
  return {
    output: finish(reshape(attended.output, [batch, channels])),
    places: finish(sliceAxis(values, 1, 1, places)),
    probabilities: attentionProbabilities(query, key, { scale, logSumExp: attended.logSumExp }),
  };
}

/** The mean of the map and its places, with their positions: [batch, places+1, channels]. */
function withMeanAndPositions(
  { scope }: BuildContext,
  x: Value,
  { batch, channels, places }: { batch: Dim; channels: number; places: number },
): Value {
  const rows = transpose(reshape(x, [batch, channels, places]), [0, 2, 1]);
  const tokens = concat([mean(rows, { axes: [1], keepDims: true }), rows], 1);
  const table = scope.parameter("positional_embedding", [places + 1, channels], {
    initializer: normal(channels ** -0.5),
  });
  return add(tokens, table);
}
