/** Reads a saved comparison or suite back, for a report of it. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@diptych/core";
import type { ReportInput } from "./report-view.js";

const FILES = ["comparison.json", "suite.json"];
const KINDS: readonly string[] = ["diptych-comparison", "diptych-suite"];

/**
 * From a folder with `comparison.json` or `suite.json`, or from such a file itself.
 *
 * @throws DataError where there is none, or it is of another kind or version
 */
export async function readResults(path: string): Promise<ReportInput> {
  const file = path.endsWith(".json")
    ? path
    : FILES.map((name) => join(path, name)).find((candidate) => existsSync(candidate));
  if (file === undefined || !existsSync(file)) {
    throw new DataError(
      `benchmark/readResults: ${path}: expected ${FILES.join(" or ")} in it, got neither. Name the folder that diptych benchmark compare or run wrote.`,
    );
  }
  const found = parse(await readFile(file, "utf8"));
  if (isResult(found)) return found;
  throw new DataError(
    `benchmark/readResults: ${file}: expected a comparison or a suite of version 1, got ${describe(found)}. Name what diptych benchmark compare or run wrote.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isResult(value: unknown): value is ReportInput {
  if (typeof value !== "object" || value === null) return false;
  const { kind, version } = value as { readonly kind?: unknown; readonly version?: unknown };
  return typeof kind === "string" && KINDS.includes(kind) && version === 1;
}

function describe(value: unknown): string {
  if (value === undefined) return "no JSON";
  const { kind = "none", version = "none" } = Object(value) as Readonly<Record<string, unknown>>;
  return `kind ${JSON.stringify(kind)}, version ${JSON.stringify(version)}`;
}
