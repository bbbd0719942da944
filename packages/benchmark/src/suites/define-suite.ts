/** A suite: tasks that every model is measured on, written as configurations are. */
import type { ConfigInput } from "@diptych/core";

type EvaluatorEntry = NonNullable<ConfigInput["evaluators"]>[number];

/** A task: an evaluator with its dataset, and for probes the set that they learn from. */
export type SuiteTask = EvaluatorEntry & { readonly name: string };

export interface SuiteInput extends Pick<ConfigInput, "plugins" | "seed" | "backend"> {
  readonly name: string;
  readonly tasks: readonly SuiteTask[];
}

/**
 * Types a suite in an editor; it is checked when it is opened.
 *
 * @example
 * export default defineSuite({
 *   name: "pets",
 *   tasks: [{ name: "pets", evaluator: zeroshotClassification(), dataset: imageFolder({ path: "pets" }) }],
 * });
 */
export function defineSuite(suite: SuiteInput): SuiteInput {
  return suite;
}
