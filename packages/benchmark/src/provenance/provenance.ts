/** All that a result depends on, gathered where it is measured. */
import type { Provenance } from "../record.js";

/** What is known where a result is measured. */
export interface ProvenanceFacts extends Omit<Provenance, "preprocessing" | "date"> {
  /** `pictures` of the loaded model. */
  readonly preprocessing: object;
  /** Now, by default. */
  readonly date?: Date;
}

/**
 * The facts as a row keeps them: plain data that is the same after a trip through JSON, cut off from what it was made of.
 *
 * @example
 * provenanceOf({
 *   code: await codeVersion(),
 *   weights: weightsFingerprint(loaded.parameters),
 *   testData: task.data,
 *   preprocessing: loaded.pictures,
 *   backend: backend.describe(),
 *   config: null, trainData: null, seed: null, training: null, precision: "fp32",
 * });
 */
export function provenanceOf({
  date = new Date(),
  preprocessing,
  ...facts
}: ProvenanceFacts): Provenance {
  const plain = JSON.stringify({ ...facts, preprocessing, date: date.toISOString() });
  return JSON.parse(plain) as Provenance;
}
