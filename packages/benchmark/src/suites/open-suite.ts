/** Opening a suite by name or file: everything that is wrong with it is said at once, before a model is read. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "@diptych/core";
import { nearestName } from "@diptych/core/plugin";
import { openEvaluation, readConfiguration, type OpenedEvaluation } from "diptych";
import { SHIPPED_SUITES, type ShippedSuite } from "./shipped-suites.js";

export interface OpenSuiteOptions {
  /** Folders or files by task, in place of the `path` of its dataset. */
  readonly data?: Readonly<Record<string, string>>;
}

/** A suite that is known to be valid: its tasks are the evaluators, each with its own name. */
export interface OpenedSuite {
  readonly name: string;
  readonly opened: OpenedEvaluation;
}

/**
 * Opens a shipped suite or a file (TypeScript, JavaScript, JSON or YAML).
 *
 * @throws ConfigError on an unknown name (the nearest is named), problems of the file (all are listed), two tasks of one
 * name, data for a task that there is not, and a shipped suite without the data that it needs.
 */
export async function openSuite(
  suite: string,
  { data = {} }: OpenSuiteOptions = {},
): Promise<OpenedSuite> {
  const shipped = Object.hasOwn(SHIPPED_SUITES, suite) ? SHIPPED_SUITES[suite] : undefined;
  if (shipped) checkNeeds(suite, shipped, data);
  else if (!existsSync(suite)) throw unknownSuite(suite);
  const raw: unknown = shipped?.suite ?? (await readConfiguration(suite));
  const { tasks, ...rest } = checkShape(raw, suite);
  const evaluators = withData(tasks, data);
  // A relative path after --data is the caller's, not the suite file's.
  const baseDir = shipped ? process.cwd() : resolve(suite, "..");
  try {
    const opened = await openEvaluation({ ...rest, evaluators }, { baseDir, source: suite });
    return Object.freeze({ name: opened.config.name, opened });
  } catch (error) {
    throw inWordsOfSuites(error);
  }
}

function unknownSuite(suite: string): ConfigError {
  const names = Object.keys(SHIPPED_SUITES);
  const near = nearestName(suite, names);
  return new ConfigError(
    `benchmark/openSuite: ${suite}: expected a file or one of ${names.join(", ")}, got neither.${near === undefined ? "" : ` Did you mean "${near}"?`} A file: export default defineSuite({ name, tasks: [{ name, evaluator, dataset }] }).`,
  );
}

function checkNeeds(
  name: string,
  { needs }: ShippedSuite,
  data: Readonly<Record<string, string>>,
): void {
  const missing = needs.filter((task) => !Object.hasOwn(data, task));
  if (missing.length === 0) return;
  throw new ConfigError(
    `benchmark/openSuite: ${name}: expected your own copy of the data, got none. Add ${missing.map((task) => `--data ${task}=/path/to/${task}`).join(" ")}.`,
  );
}

interface RawSuite {
  readonly tasks: readonly Readonly<Record<string, unknown>>[];
  readonly [key: string]: unknown;
}

/** What the shell of a configuration does not know: that tasks have names, each another. */
function checkShape(raw: unknown, source: string): RawSuite {
  const problem = (path: string, message: string) => ({ path, message });
  const problems = [];
  const { tasks, name } = (isRecord(raw) ? raw : {}) as { tasks?: unknown; name?: unknown };
  if (typeof name !== "string" || name === "") {
    problems.push(problem("name", "expected the suite's name"));
  }
  if (!Array.isArray(tasks) || tasks.length === 0) {
    problems.push(problem("tasks", "expected a list of { name, evaluator, dataset }"));
  } else {
    const seen = new Set<unknown>();
    for (const [i, task] of (tasks as readonly unknown[]).entries()) {
      const own = isRecord(task) ? task["name"] : undefined;
      if (typeof own !== "string" || own === "") {
        problems.push(problem(`tasks[${i}].name`, "expected the task's name"));
      } else if (seen.has(own)) {
        problems.push(problem(`tasks[${i}].name`, `expected each name once, got "${own}" twice`));
      }
      seen.add(own);
    }
  }
  if (isRecord(raw) && "evaluators" in raw) {
    problems.push(problem("evaluators", "a suite calls them tasks"));
  }
  if (problems.length === 0) return raw as RawSuite;
  const lines = problems.map(({ path, message }) => `  ${path}: ${message}`).join("\n");
  throw new ConfigError(
    `benchmark/openSuite: ${source}: expected a valid suite, got ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n${lines}`,
    problems,
  );
}

function withData(
  tasks: RawSuite["tasks"],
  data: Readonly<Record<string, string>>,
): RawSuite["tasks"] {
  const names = tasks.map(({ name }) => String(name));
  const stray = Object.keys(data).find((task) => !names.includes(task));
  if (stray !== undefined) {
    throw new ConfigError(
      `benchmark/openSuite: --data ${stray}: expected one of the tasks ${names.join(", ")}, got "${stray}".`,
    );
  }
  return tasks.map((task) => {
    const path = data[String(task["name"])];
    if (path === undefined || !isRecord(task["dataset"])) return task;
    return { ...task, dataset: { ...task["dataset"], path: resolve(path) } };
  });
}

/** The problems of a suite's parts name its tasks, as its author wrote them. */
function inWordsOfSuites(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const renamed = (text: string): string => text.replaceAll("evaluators[", "tasks[");
  const problems = error.problems.map(({ path, message }) => ({
    path: renamed(path),
    message: renamed(message),
  }));
  return new ConfigError(renamed(error.message), problems, { cause: error });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
