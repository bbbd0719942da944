// Runs a contract's checks on a subject and says which fail: how the suites are tested on broken fakes.
import { expect } from "vitest";
import type { ContractCheck } from "./contract-check.js";

/** Names of the checks that fail, with why. */
export async function failingChecks<Subject>(
  checks: readonly ContractCheck<Subject>[],
  subject: Subject,
): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  for (const { name, run } of checks) {
    try {
      await run(subject);
    } catch (error) {
      failures.set(name, error instanceof Error ? error.message : String(error));
    }
  }
  return failures;
}

/** Fails unless each fault makes the checks that it names fail, and every check fails for some fault. */
export async function expectFaultsFound<Subject>(
  checks: readonly ContractCheck<Subject>[],
  faults: readonly (readonly [what: string, subject: Subject, expected: RegExp])[],
): Promise<void> {
  const found = new Set<string>();
  for (const [what, subject, expected] of faults) {
    const failures = await failingChecks(checks, subject);
    const names = [...failures.keys()];
    expect(
      names.some((name) => expected.test(name)),
      `${what} is found by ${String(expected)}; found by: ${names.join(" | ")}`,
    ).toBe(true);
    for (const name of names) found.add(name);
  }
  expect(
    checks.map(({ name }) => name).filter((name) => !found.has(name)),
    "checks that no fault fails",
  ).toEqual([]);
}
