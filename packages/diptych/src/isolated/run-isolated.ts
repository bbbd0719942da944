/**
 * Work in a process of its own: two native runtimes do not disturb each other there, its peak memory is its own, and a
 * library that aborts ends that process alone.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InternalError } from "@diptych/core";
import type { ChildMessage, IsolatedTask, IsolatedTasks } from "./isolated-tasks.js";

/** What became of the work: its result, or why there is none. */
export type IsolatedOutcome<T> =
  | { readonly status: "done"; readonly value: T }
  | { readonly status: "failed"; readonly reason: string };

export interface IsolatedOptions<P> {
  readonly onProgress?: (progress: P) => void;
  /** Ends the process; the call then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Without an answer by then the process is ended. No limit by default. */
  readonly timeoutMs?: number;
}

const keptCharacters = 8192;
const shownLines = 8;

/**
 * Runs a task of {@link IsolatedTasks} in a new process. An error there, a crash and a time-out are outcomes.
 *
 * @throws the signal's reason.
 */
export async function runIsolated<K extends IsolatedTask>(
  task: K,
  input: IsolatedTasks[K]["input"],
  options: IsolatedOptions<IsolatedTasks[K]["progress"]> = {},
): Promise<IsolatedOutcome<IsolatedTasks[K]["output"]>> {
  const { signal, timeoutMs, onProgress } = options;
  signal?.throwIfAborted();
  const child = startChild();
  const lines = keepLastLines(child);
  const state = { timedOut: false };
  const end = (): boolean => child.kill("SIGKILL");
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          state.timedOut = true;
          end();
        }, timeoutMs);
  signal?.addEventListener("abort", end, { once: true });
  try {
    const outcome = await new Promise<IsolatedOutcome<IsolatedTasks[K]["output"]>>((resolve) => {
      let answer: IsolatedOutcome<IsolatedTasks[K]["output"]> | undefined;
      child.on("message", (message: ChildMessage) => {
        if (message.kind === "progress") onProgress?.(message.value as never);
        else {
          answer = message.outcome as typeof answer;
          // The work is over: what a runtime does on its way out is of no interest.
          end();
        }
      });
      child.on("error", (error) => resolve({ status: "failed", reason: error.message }));
      child.on("close", (code, endedBy) => {
        resolve(answer ?? { status: "failed", reason: describeEnd(code, endedBy, lines()) });
      });
      child.send({ task, input });
    });
    signal?.throwIfAborted();
    return state.timedOut
      ? { status: "failed", reason: `it gave no answer within ${(timeoutMs ?? 0) / 1000} s` }
      : outcome;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    end();
  }
}

function startChild(): ChildProcess {
  const script = `import { serveTasks } from ${JSON.stringify(childModule())}; serveTasks();`;
  return spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "advanced",
  });
}

/** Node runs compiled modules alone: from the sources, as tests do, the child takes what was built of them. */
function childModule(): string {
  const url = new URL("./isolated-child.js", import.meta.url.replace("/src/", "/dist/"));
  if (existsSync(fileURLToPath(url))) return url.href;
  throw new InternalError(
    `diptych/runIsolated: ${url.pathname}: expected the compiled module, got nothing there. Run \`npm run build\`.`,
  );
}

function keepLastLines(child: ChildProcess): () => string {
  let text = "";
  const keep = (data: Buffer): void => {
    text = (text + data.toString()).slice(-keptCharacters);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => {
    // Node's own account of an abort is long, and of no use to who installs a library.
    const [said = ""] = text.split(/^----- (?:Native|JavaScript) stack trace -----$/m);
    return said.trim().split("\n").slice(-shownLines).join("\n");
  };
}

function describeEnd(code: number | null, endedBy: string | null, lines: string): string {
  const how = endedBy === null ? `with exit code ${code ?? "unknown"}` : `by ${endedBy}`;
  const memory = endedBy === "SIGKILL" ? ", as when memory runs out" : "";
  return `its process ended ${how}${memory}${lines === "" ? "" : `:\n${lines}`}`;
}
