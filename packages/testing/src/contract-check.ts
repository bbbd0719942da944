/** A contract as a list of named checks: `describe…` functions register them, and tests of the suites run them on broken fakes. */
import { it } from "vitest";

/** One promise of a contract; rejects or throws where it is broken. */
export interface ContractCheck<Subject> {
  readonly name: string;
  readonly run: (subject: Subject) => void | Promise<void>;
}

/** Registers each check as a test on what `subject` gives when the test runs. */
export function registerChecks<Subject>(
  checks: readonly ContractCheck<Subject>[],
  subject: () => Subject | Promise<Subject>,
): void {
  for (const { name, run } of checks) it(name, async () => run(await subject()));
}
