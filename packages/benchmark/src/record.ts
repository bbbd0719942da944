/** One model measured on one task: the row that every table, test and report starts from, with all that it depends on. */
import type { Evaluation } from "@diptych/core";

/** What data was used, so that rows of other data are never taken for comparable. */
export interface DataIdentity {
  readonly name: string;
  /** Configuration of the dataset as plain data. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly size: number | null;
  /** Of its content; null where the dataset cannot give one (`note` says so). */
  readonly fingerprint: string | null;
  readonly note: string;
}

/** What training cost. */
export interface TrainingCost {
  readonly steps: number;
  /** Pictures seen. */
  readonly samples: number;
  /** Floating point operations of forward and backward passes over all steps (2 a multiply-add). */
  readonly flops: number;
  /** Wall clock of the steps, in this machine's seconds. */
  readonly seconds: number;
  readonly batchSize: number;
  readonly parameters: number;
}

/** All that a result depends on. */
export interface Provenance {
  /** Versions: of diptych, of Node, and the commit of the working folder where it is a repository. */
  readonly code: {
    readonly diptych: string;
    readonly node: string;
    readonly commit: string | null;
    readonly dirty: boolean | null;
  };
  /** Resolved configuration; null for a model that came without one. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** SHA-256 over the names, shapes and values of the weights. */
  readonly weights: string;
  readonly trainData: DataIdentity | null;
  readonly testData: DataIdentity;
  /**
   * The evaluator with its settings as plain data, `{ type, … }`: templates and class names among them, and what it learned
   * from as `trainDataset`.
   */
  readonly evaluator?: Readonly<Record<string, unknown>>;
  /** How pictures are prepared for evaluation, as plain data. */
  readonly preprocessing: Readonly<Record<string, unknown>>;
  readonly precision: string;
  /** One line: runtime, version, provider, threads. */
  readonly backend: string;
  /** Seed of the training; null where unknown. */
  readonly seed: number | null;
  readonly training: TrainingCost | null;
  /** ISO 8601, UTC. */
  readonly date: string;
}

export interface BenchmarkRow {
  /** Label of the method or model: the same over seeds. */
  readonly method: string;
  /** Name of the task in its suite. */
  readonly task: string;
  readonly evaluator: string;
  readonly mainMetric: string;
  readonly evaluation: Evaluation;
  readonly provenance: Provenance;
}

/** A task that could not be measured; the rest of the suite runs. */
export interface FailedRow {
  readonly method: string;
  readonly task: string;
  readonly reason: string;
}
