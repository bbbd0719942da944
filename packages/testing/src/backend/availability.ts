/** Suites of engines that may be absent: where one is not there, a skipped test says what is missing. */
import { isDiptychError, type Backend } from "@diptych/core";
import { describe, it } from "vitest";

/** A backend's own word on why it cannot start here, undefined where it can. Any error but a BackendError is a failure. */
export async function whyMissing(create: () => Promise<Backend>): Promise<string | undefined> {
  try {
    await (await create()).dispose();
    return undefined;
  } catch (error) {
    if (isDiptychError(error, "BACKEND")) return error.message;
    throw error;
  }
}

/**
 * Declares `suite` where the backend starts.
 *
 * @example
 * await describeWhereAvailable("my backend", createMyBackend, () => { describeBackendConformance(…); });
 */
export async function describeWhereAvailable(
  label: string,
  create: () => Promise<Backend>,
  suite: () => void,
): Promise<void> {
  const reason = await whyMissing(create);
  if (reason === undefined) {
    suite();
    return;
  }
  describe(label, () => {
    it.skip(`skipped: ${reason}`, () => undefined);
  });
}
