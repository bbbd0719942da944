/** A measured task as a row with all that it depends on. */
import { measuredRow } from "../measured-row.js";
import type { BenchmarkRow, DataIdentity, Provenance } from "../record.js";
import type { OpenedSuite } from "./open-suite.js";
import type { SuiteMeasurement } from "./run-suite.js";

export interface SuiteRowContext {
  readonly suite: OpenedSuite;
  readonly code: Provenance["code"];
}

export function suiteRow(
  { label, task: name, model, measured }: SuiteMeasurement,
  { suite, code }: SuiteRowContext,
): BenchmarkRow {
  const task = suite.opened.config.evaluators.find((entry) => entry.name === name)!;
  const seed = model.config?.["seed"];
  return measuredRow(
    { method: label, measured, task },
    {
      code,
      config: model.config,
      weights: model.weights,
      trainData: trainDataOf(model.config),
      preprocessing: model.pictures,
      // Evaluators encode in the backend's own float32; quantised models are measured by the embeddings they give.
      precision: "fp32",
      backend: model.backend,
      seed: typeof seed === "number" ? seed : null,
      training: null,
    },
  );
}

/** A model folder keeps the configuration of its data, not what was in it. */
function trainDataOf(config: Readonly<Record<string, unknown>> | null): DataIdentity | null {
  const data = config?.["data"] as
    { readonly train?: Readonly<Record<string, unknown>> } | undefined;
  if (!data?.train) return null;
  return {
    name: String(data.train["type"]),
    config: data.train,
    size: null,
    fingerprint: null,
    note: "the model's folder keeps no fingerprint of its training data",
  };
}
