/** What may be run in a process of its own: each task's function, and what goes in and comes out, which is plain data. */
import type { BackendFinding } from "@diptych/core/plugin";
import {
  compareSteps,
  prepareData,
  type CompareStepsInput,
  type ConfigSource,
  type StepsProgress,
  type StepsSummary,
} from "../compare-backends/compare-steps.js";
import { diagnoseBackend, type DiagnoseInput } from "../doctor/diagnose-backend.js";
import { measureBackend, type BackendRates, type MeasureInput } from "../doctor/measure-backend.js";

interface Task<Input, Output, Progress = never> {
  readonly input: Input;
  readonly output: Output;
  /** What is reported on the way. */
  readonly progress: Progress;
}

export interface IsolatedTasks {
  readonly diagnose: Task<DiagnoseInput, readonly BackendFinding[]>;
  readonly measure: Task<MeasureInput, BackendRates>;
  readonly prepareData: Task<{ readonly source: ConfigSource }, null, StepsProgress>;
  readonly compareSteps: Task<CompareStepsInput, StepsSummary, StepsProgress>;
}

export type IsolatedTask = keyof IsolatedTasks;

type Work<T> =
  T extends Task<infer Input, infer Output, infer Progress>
    ? (input: Input, report: (progress: Progress) => void) => Promise<Output>
    : never;

export const ISOLATED_TASKS: { readonly [K in IsolatedTask]: Work<IsolatedTasks[K]> } =
  Object.freeze({
    diagnose: diagnoseBackend,
    measure: measureBackend,
    prepareData,
    compareSteps,
  });

export interface IsolatedRequest {
  readonly task: IsolatedTask;
  readonly input: unknown;
}

export type ChildMessage =
  | { readonly kind: "progress"; readonly value: unknown }
  | {
      readonly kind: "outcome";
      readonly outcome:
        | { readonly status: "done"; readonly value: unknown }
        | { readonly status: "failed"; readonly reason: string };
    };
