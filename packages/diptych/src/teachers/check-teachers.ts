/** A resumed run is taught by the models that it began with. */
import { TrainingError } from "@diptych/core";
import type { TeacherFacts } from "./open-teachers.js";

/**
 * @param before What the checkpoint says of its run's teachers; undefined where it says nothing.
 * @throws TrainingError where one of them had other weights.
 */
export function checkTeachers(before: unknown, now: readonly TeacherFacts[]): void {
  if (!Array.isArray(before)) return;
  const known = new Map((before as readonly TeacherFacts[]).map((one) => [one.model, one.weights]));
  for (const { model, weights } of now) {
    const expected = known.get(model);
    // Another path may hold the same model; another loss may have other teachers.
    if (expected === undefined || expected === weights) continue;
    throw new TrainingError(
      `diptych/train: teacher ${model}: expected the weights that the run began with (${expected.slice(0, 12)}…), got others (${weights.slice(0, 12)}…). Bring the old ones back, or begin a new run.`,
    );
  }
}
