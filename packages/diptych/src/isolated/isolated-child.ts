/** The other side of `runIsolated`: waits for one task, does it, and answers. */
import { isDiptychError } from "@diptych/core";
import { ISOLATED_TASKS, type ChildMessage, type IsolatedRequest } from "./isolated-tasks.js";

/**
 * Serves the process that started this one.
 *
 * @public Called by the script that `runIsolated` starts.
 */
export function serveTasks(): void {
  // A terminal sends Ctrl-C to this process as well; who started it decides when it ends.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => process.exit(1));
  process.once("message", (request: IsolatedRequest) => void answer(request));
}

async function answer({ task, input }: IsolatedRequest): Promise<void> {
  const work = ISOLATED_TASKS[task] as (
    input: unknown,
    report: (value: unknown) => void,
  ) => Promise<unknown>;
  let outcome: (ChildMessage & { kind: "outcome" })["outcome"];
  try {
    const value = await work(input, (progress) => send({ kind: "progress", value: progress }));
    outcome = { status: "done", value };
  } catch (error) {
    outcome = { status: "failed", reason: reasonOf(error) };
  }
  send({ kind: "outcome", outcome });
}

function send(message: ChildMessage): void {
  process.send?.(message);
}

/** A stack only where the error is none that was meant for people. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isDiptychError(error) ? error.message : (error.stack ?? error.message);
}
