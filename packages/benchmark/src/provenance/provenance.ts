/** All that a result depends on, gathered where it is measured. */
import type { Dataset } from "@diptych/core";
import type { DataIdentity, Provenance } from "../record.js";

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
 *   testData: await dataIdentity(dataset, { type: "emoji", split: "test" }),
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

/**
 * What data a result is of: the dataset's own fingerprint where it can give one.
 *
 * @param config The dataset's resolved part as plain data, `{ type, … }`.
 * @throws DataError where a file that the fingerprint needs cannot be read.
 */
export async function dataIdentity(
  dataset: Dataset,
  config: Readonly<Record<string, unknown>>,
): Promise<DataIdentity> {
  const facts = { name: dataset.name, config, size: sizeOf(dataset) };
  if (dataset.kind !== "sized" || !dataset.fingerprint) {
    const note =
      dataset.kind === "sized"
        ? `the dataset "${dataset.name}" gives no fingerprint of its content`
        : "a stream has no fingerprint of its content";
    return Object.freeze({ ...facts, fingerprint: null, note });
  }
  const { hash, note } = await dataset.fingerprint();
  return Object.freeze({ ...facts, fingerprint: hash, note });
}

const sizeOf = (dataset: Dataset): number | null =>
  dataset.kind === "sized" ? dataset.size : null;
