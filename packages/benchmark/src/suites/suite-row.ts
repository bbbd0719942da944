/** A measured task as a row with all that it depends on. */
import { provenanceOf } from "../provenance/provenance.js";
import type { BenchmarkRow, DataIdentity, Provenance } from "../record.js";
import type { OpenedSuite } from "./open-suite.js";
import type { SuiteMeasurement } from "./run-suite.js";

export interface SuiteRowContext {
  readonly suite: OpenedSuite;
  readonly code: Provenance["code"];
}

export function suiteRow(
  { label, task, model, measured }: SuiteMeasurement,
  { suite, code }: SuiteRowContext,
): BenchmarkRow {
  const { evaluator: type, mainMetric, data, ...evaluation } = measured;
  const entry = suite.opened.config.evaluators.find(({ name }) => name === task);
  const settings = entry?.evaluator.config as Readonly<Record<string, unknown>> | undefined;
  const seed = model.config?.["seed"];
  return {
    method: label,
    task,
    evaluator: type,
    mainMetric,
    evaluation,
    provenance: provenanceOf({
      code,
      config: model.config,
      weights: model.weights,
      trainData: trainDataOf(model.config),
      testData: data,
      evaluator: { type, ...settings },
      preprocessing: model.pictures,
      // Evaluators encode in the backend's own float32; quantised models are measured by the embeddings they give.
      precision: "fp32",
      backend: model.backend,
      seed: typeof seed === "number" ? seed : null,
      training: null,
    }),
  };
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
