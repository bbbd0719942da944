/** Turns a schema's issues into problems that name the path, the expectation, what came and the nearest known name. */
import type { z } from "zod";
import { ConfigError, type ConfigProblem } from "../errors.js";
import { nearestName, suggestName } from "../plugin/nearest-name.js";
import { knownKeysAt } from "./schema-keys.js";

/** `model.encoders.image.width`, `evaluators[0].dataset`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, key) =>
      typeof current === "object" && current !== null
        ? (current as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint" || typeof value === "symbol") return value.toString();
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** ` Did you mean "wasm"?` for a slip in one of several words. */
function nearest(issue: z.core.$ZodIssue, value: unknown): string {
  const given = valueAt(value, issue.path);
  if (issue.code !== "invalid_value" || typeof given !== "string") return "";
  const meant = nearestName(given, issue.values.map(String));
  return meant === undefined ? "" : `. Did you mean "${meant}"?`;
}

/** Problems of one parse. `prefix` is where the parsed value sits in the whole configuration. */
export function problemsOf(
  error: z.ZodError,
  schema: unknown,
  value: unknown,
  prefix: readonly PropertyKey[] = [],
): readonly ConfigProblem[] {
  return error.issues.flatMap((issue): readonly ConfigProblem[] => {
    const at = formatPath([...prefix, ...issue.path]) || "config";
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: formatPath([...prefix, ...issue.path, key]),
        message: `unknown key. ${suggestName(key, knownKeysAt(schema, issue.path))}`,
      }));
    }
    const text = issue.message.replace(/^(Invalid input|Invalid option|Too small|Too big): /, "");
    const got =
      issue.code === "custom" && /got /.test(text)
        ? ""
        : `, got ${show(valueAt(value, issue.path))}`;
    return [
      { path: at, message: `${text.replace(/, received .*$/, "")}${got}${nearest(issue, value)}` },
    ];
  });
}

/** One error of all problems. @throws ConfigError when there is any. */
export function throwProblems(source: string, problems: readonly ConfigProblem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map(({ path, message }) => `  ${path}: ${message}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  throw new ConfigError(`core/resolveConfig: ${source}: ${count}:\n${lines.join("\n")}`, problems);
}
