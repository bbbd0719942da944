/** What a model multiplies similarities with before a softmax. */
import type { HostTensor } from "@diptych/core";

/** The parameter that holds its logarithm. */
export const LOG_SCALE = "logit_scale";

/** exp of the learned log scale; undefined where the model has none. */
export function similarityScale(parameters: ReadonlyMap<string, HostTensor>): number | undefined {
  const logScale = parameters.get(LOG_SCALE)?.data[0];
  return logScale === undefined ? undefined : Math.exp(logScale);
}
