/** Whether a backend can compute a step's precision, asked before anything is compiled. */
import {
  ConfigError,
  lowDtype,
  TRAINING_PRECISIONS,
  type Backend,
  type TrainingPrecision,
} from "@diptych/core";

const supports = ({ capabilities }: Backend, precision: TrainingPrecision): boolean => {
  const low = lowDtype(precision);
  return low === undefined || capabilities.dtypes.has(low);
};

/** @throws ConfigError naming the backend and what it has, where it lacks the 16-bit dtype. */
export function checkPrecision(precision: TrainingPrecision, backend: Backend): void {
  if (supports(backend, precision)) return;
  const known = TRAINING_PRECISIONS.filter((each) => supports(backend, each));
  throw new ConfigError(
    `training/precision: training.precision: expected one that the backend computes (${known.join(", ")}), got ${precision} (${backend.describe()}). Choose one of these, or another backend.`,
  );
}

/** What a run is to know of a precision that the backend has but is no faster in; undefined where it is. */
export function precisionNotice(
  precision: TrainingPrecision,
  backend: Backend,
): string | undefined {
  const low = lowDtype(precision);
  if (low === undefined || !backend.capabilities.emulatedDtypes?.has(low)) return undefined;
  return `training.precision ${precision}: this backend computes ${low} in float32 between two casts (${backend.describe()}): the numbers are those of ${precision}, the speed is not.`;
}
