/** What an evaluator measured, as a row with all that it depends on. */
import type { ResolvedConfig } from "@diptych/core";
import type { MeasuredTask } from "diptych";
import { provenanceOf, type ProvenanceFacts } from "./provenance/provenance.js";
import type { BenchmarkRow } from "./record.js";

export interface MeasuredRow {
  readonly method: string;
  readonly measured: MeasuredTask;
  /** The task, as the configuration or suite has it. */
  readonly task: Pick<ResolvedConfig["evaluators"][number], "name" | "evaluator">;
}

/** @param facts What the row depends on beside its task. */
export function measuredRow(
  { method, measured, task }: MeasuredRow,
  facts: Omit<ProvenanceFacts, "testData" | "evaluator">,
): BenchmarkRow {
  const { evaluator: type, mainMetric, data, trainData, ...evaluation } = measured;
  const settings = task.evaluator.config as Readonly<Record<string, unknown>>;
  return {
    method,
    task: task.name,
    evaluator: type,
    mainMetric,
    evaluation,
    provenance: provenanceOf({
      ...facts,
      testData: data,
      evaluator: { type, ...settings, ...(trainData ? { trainDataset: trainData } : {}) },
    }),
  };
}
