/** Errors on a terminal: what is wrong and how to mend it; the stack only where it is our own bug or asked for. */
import { isExpectedError } from "@diptych/core";

/** What is printed for `error`, and the exit code: 130 after Ctrl-C, else 1. */
function describeError(error: unknown, verbose: boolean): { text: string; exitCode: number } {
  if (error instanceof Error && error.name === "AbortError") {
    return { text: "Stopped.", exitCode: 130 };
  }
  if (isExpectedError(error)) {
    const stack = verbose && error.stack ? `\n${error.stack}` : "";
    return { text: `error: ${error.message}${stack}`, exitCode: 1 };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `error: ${text}`, exitCode: 1 };
}

export function printError(error: unknown): void {
  const { text, exitCode } = describeError(error, process.env["DIPTYCH_DEBUG"] !== undefined);
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}
