/** What an unfinished embedding is of: its inputs, its model and its settings, kept beside the rows that are done. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { DataError } from "@diptych/core";
import { writeJsonAtomically } from "@diptych/checkpoints";
import { z } from "zod";

const planSchema = z.object({
  version: z.literal(1),
  kind: z.enum(["image", "text"]),
  count: z.int().min(1),
  /** SHA-256 of the list of inputs. */
  inputs: z.string(),
  width: z.int().min(1),
  /** Whatever else decides the rows, by name: normalisation, precision. */
  settings: z.record(z.string(), z.string()),
  /** What the model makes of a fixed input: tells one model from another, wherever it is kept. */
  probe: z.array(z.number()),
});

export type EmbeddingPlan = z.output<typeof planSchema>;

const PLAN = "plan.json";
const INPUTS = "inputs.jsonl";

/** Distance of two probes, relative to the largest entry, that other threads or another machine may cause. */
const SAME_MODEL = 1e-3;

export function inputsPath(folder: string): string {
  return join(folder, INPUTS);
}

export interface ListedInputs {
  readonly count: number;
  /** SHA-256 in hexadecimal. */
  readonly hash: string;
  /** Where they were written, a JSON string a line. */
  readonly path: string;
}

/** Writes inputs to a file of the folder, one at a time. @throws DataError on none, or one that `check` refuses. */
export async function listInputs(
  folder: string,
  inputs: AsyncIterable<string>,
  check: (input: string) => void,
): Promise<ListedInputs> {
  const path = join(folder, `${INPUTS}.new`);
  const hash = createHash("sha256");
  const file = createWriteStream(path);
  // Errors of the stream arrive through `once` or `finished`; without a listener in between they would end the process.
  let failure: Error | undefined;
  file.on("error", (error) => (failure = error));
  let count = 0;
  for await (const input of inputs) {
    check(input);
    const line = `${JSON.stringify(input)}\n`;
    hash.update(line);
    count++;
    if (!file.write(line) && !failure) await once(file, "drain");
    if (failure) throw failure;
  }
  file.end();
  await once(file, "close");
  if (failure) throw failure;
  if (count === 0) {
    await rm(path, { force: true });
    throw new DataError(
      "diptych/embedToFile: inputs: expected at least one, got none. Give pictures, folders with pictures, or a file with a line.",
    );
  }
  return { count, hash: hash.digest("hex"), path };
}

/** The plan of a folder; undefined where there is none. @throws DataError on a broken one. */
export async function readPlan(folder: string): Promise<EmbeddingPlan | undefined> {
  const path = join(folder, PLAN);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
  try {
    return planSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DataError(
      `diptych/embedToFile: ${path}: expected the plan of an unfinished embedding, got another file. Delete ${folder} to start anew.`,
      { cause },
    );
  }
}

/** Makes `plan` the folder's, with its list of inputs. */
export async function keepPlan(
  folder: string,
  plan: EmbeddingPlan,
  listed: ListedInputs,
): Promise<void> {
  await rename(listed.path, inputsPath(folder));
  await writeJsonAtomically(join(folder, PLAN), plan);
}

/** @throws DataError naming in what the plans differ. */
export function checkSamePlan(folder: string, kept: EmbeddingPlan, now: EmbeddingPlan): void {
  const differences: string[] = [];
  if (kept.kind !== now.kind) differences.push(`${kept.kind}s and not ${now.kind}s`);
  else if (kept.count !== now.count) differences.push(`${kept.count} inputs and not ${now.count}`);
  else if (kept.inputs !== now.inputs) differences.push("other inputs, or in another order");
  if (kept.width !== now.width || !sameProbe(kept.probe, now.probe))
    differences.push("another model");
  for (const name of new Set([...Object.keys(kept.settings), ...Object.keys(now.settings)])) {
    const [before, after] = [kept.settings[name] ?? "unset", now.settings[name] ?? "unset"];
    if (before !== after) differences.push(`${name} ${before} and not ${after}`);
  }
  if (differences.length === 0) return;
  throw new DataError(
    `diptych/embedToFile: ${folder}: expected the unfinished work of the same command, got that of ${differences.join(", ")}. Repeat the command that began it, use another --out, or delete that folder to start anew.`,
  );
}

function sameProbe(kept: readonly number[], now: readonly number[]): boolean {
  const largest = kept.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return (
    kept.length === now.length &&
    kept.every((value, i) => Math.abs(value - (now[i] ?? NaN)) <= SAME_MODEL * largest)
  );
}
