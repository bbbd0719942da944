/** One vector a picture from its tokens. */
import { checkShapes, mean, reshape, sliceAxis, subDims, type Value } from "@diptych/core";

/** `tok`: the class token (first); `avg`: the mean of the others. x [batch, tokens, width] → [batch, width]. */
export function poolTokens(x: Value, pooling: "tok" | "avg"): Value {
  const { batch, tokens, width } = checkShapes("encoders-vit/poolTokens", [
    x,
    "x",
    ["batch", "tokens", "width"],
  ]);
  if (pooling === "tok") return reshape(sliceAxis(x, 1, 0, 1), [batch, width]);
  return mean(sliceAxis(x, 1, 1, subDims(tokens, 1)), { axes: [1] });
}
