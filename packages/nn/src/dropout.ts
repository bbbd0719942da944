/** Dropout (arXiv:1207.0580), inverted: what is kept is scaled up, so that evaluation does nothing. */
import { ConfigError, mul, shapeOf, type BuildContext, type Value } from "@diptych/core";

/**
 * In training, zeroes entries with probability `rate` and multiplies the rest by 1/(1 − rate); x itself in evaluation.
 *
 * @param x [batch, ...]; the mask is a random input `<scope>.dropout`, one stream per sample.
 * @throws ConfigError for a rate outside [0, 1).
 */
export function buildDropout({ scope, mode, random }: BuildContext, x: Value, rate: number): Value {
  if (!(rate >= 0 && rate < 1)) {
    throw new ConfigError(
      `nn/buildDropout: rate: expected a number in [0, 1), got ${rate}. 0 turns dropout off.`,
    );
  }
  if (mode === "eval" || rate === 0) return x;
  const name = scope.path === "" ? "dropout" : `${scope.path}.dropout`;
  return mul(x, random.declare(name, shapeOf(x), { kind: "dropout", keep: 1 - rate }));
}
