/** What a run of a comparison was asked for, kept in its folder: whether a run that is there is the one that is wanted. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "@diptych/core";
import { writeJsonAtomically } from "diptych";
import type { DataContent } from "./data-content.js";
import { differences } from "./differences.js";

const FILE = "asked.json";

export interface RunIdentity {
  readonly method: string;
  readonly seed: number;
  /** The resolved configuration of the run. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The evaluators that measure it. */
  readonly evaluators: unknown;
  readonly content: DataContent;
  /** Steps after which it is measured. */
  readonly evaluateAt: readonly number[];
  /** Version of diptych's packages. */
  readonly version: string;
}

/**
 * Writes what is asked for into a new folder, or compares it with what the folder was made for.
 *
 * @throws ConfigError naming what is otherwise.
 */
export async function claimRun(folder: string, asked: RunIdentity): Promise<void> {
  const path = join(folder, FILE);
  // As JSON, in which undefined is absent: what is read back must compare equal.
  const wanted = JSON.parse(JSON.stringify(asked)) as unknown;
  if (!existsSync(path)) return writeJsonAtomically(path, wanted);
  const found = JSON.parse(await readFile(path, "utf8")) as unknown;
  if (isDeepStrictEqual(found, wanted)) return;
  const changed = differences(found, wanted);
  throw new ConfigError(
    `benchmark/compare: ${folder}: expected a run of the same configuration, data, budget and evaluation, got one with ${changed.slice(0, 5).join("; ")}${changed.length > 5 ? `; and ${changed.length - 5} more` : ""}. Choose another --out, or delete this folder.`,
  );
}
