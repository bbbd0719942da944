/** Another program as a promise: it ends with the signal, together with all that it started, and its last lines go into the error. */
import { spawn } from "node:child_process";

export interface ToolRun {
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

export interface ToolOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that did not start, or did not end with 0. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  /** The last lines that it wrote. */
  readonly lastLines: string;
  constructor(message: string, lastLines: string) {
    super(message);
    this.lastLines = lastLines;
  }
}

const keptCharacters = 16_384;
const shownLines = 12;
/** Time for a program to end by itself when asked to. */
const graceMs = 2000;

/**
 * Runs `command` and waits for its end.
 * @throws ToolError when it fails; the signal's reason when that ended it.
 */
export function runTool(command: string, run: ToolRun): Promise<ToolOutput> {
  const { args, cwd, env, signal } = run;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    // In a group of its own: a compiler under make under npm ends with it, and a terminal's Ctrl-C comes through us alone.
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout = keep(stdout + data.toString())));
    child.stderr.on("data", (data: Buffer) => (stderr = keep(stderr + data.toString())));
    let timer: NodeJS.Timeout | undefined;
    const end = (): void => {
      endGroup(child.pid, "SIGTERM");
      timer = setTimeout(() => endGroup(child.pid, "SIGKILL"), graceMs);
    };
    signal?.addEventListener("abort", end, { once: true });
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason as Error);
      else act();
    };
    child.on("error", (error) => {
      settle(() => reject(new ToolError(`${command}: ${error.message}`, "")));
    });
    child.on("close", (code, endedBy) => {
      settle(() => {
        if (code === 0) resolve({ stdout, stderr });
        else
          reject(new ToolError(`${command} ended with ${code ?? endedBy}`, last(stdout, stderr)));
      });
    });
  });
}

function keep(text: string): string {
  return text.slice(-keptCharacters);
}

function last(stdout: string, stderr: string): string {
  return `${stdout.trimEnd()}\n${stderr}`.trim().split("\n").slice(-shownLines).join("\n");
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    // It has ended already.
  }
}
