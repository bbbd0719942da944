/** The error of a step whose loss or gradient is no number. */
import { TrainingError } from "@diptych/core";
import { messageOf } from "./message-of.js";
import type { StepReport } from "./step-report.js";

export interface NotFiniteContext {
  readonly step: number;
  readonly report: StepReport;
  readonly learningRate: number;
  readonly lastFinite?: { readonly step: number; readonly loss: number } | undefined;
  /** Where the last good state was saved, if it was. */
  readonly saved?: string | undefined;
  /** Why it could not be saved. */
  readonly saveFailure?: unknown;
}

/** Says what was not finite, in which circumstances, where the last good state is, and what to try. */
export function notFiniteError(context: NotFiniteContext): TrainingError {
  const { step, report, learningRate, lastFinite, saved, saveFailure } = context;
  const what = Number.isFinite(report.loss) ? "gradient" : "loss";
  const last = lastFinite
    ? `last finite loss ${String(lastFinite.loss)} at step ${lastFinite.step}`
    : "no finite loss before";
  const kept =
    saveFailure !== undefined
      ? ` The state before this step could not be saved: ${messageOf(saveFailure)}`
      : saved === undefined
        ? ""
        : ` The state before this step is saved in ${saved}.`;
  return new TrainingError(
    `training/fit: ${what}: expected finite numbers, got loss ${String(report.loss)} and gradient norm ${String(report.gradNorm)} (step ${step}, learning rate ${String(learningRate)}, logit scale ${String(report.logitScale)}, ${last}).${kept} Lower the learning rate or lengthen its warm-up, clip gradients (training.clipNorm), and check the data for values that are not numbers.`,
    saveFailure === undefined ? {} : { cause: saveFailure },
  );
}
