/**
 * A set-up's folder: filled beside its place, `setup.json` written last, then renamed. Whoever finds a folder with a
 * `setup.json` finds all of it; what an interrupted run left is removed by the next one.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { SetupPlan } from "./setup-plan.js";

const recordSchema = z.looseObject({
  kind: z.string(),
  version: z.string(),
  /** The line that the check gave. */
  detail: z.string(),
  wheels: z.array(z.object({ name: z.string(), version: z.string(), sha256: z.string() })),
  files: z.array(z.object({ path: z.string(), sha256: z.string(), bytes: z.number() })),
});

/** What `setup.json` says. */
export type SetupRecord = z.infer<typeof recordSchema>;

const recordName = "setup.json";
const partialMark = ".partial-";
const oldMark = ".old-";

/** The record of a whole set-up in `folder`, or null. */
export async function readSetup(folder: string): Promise<SetupRecord | null> {
  try {
    const text = await readFile(join(folder, recordName), "utf8");
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whether `record` was made from what `plan` takes now. */
export function isCurrent(record: SetupRecord, { kind, version, wheels }: SetupPlan): boolean {
  const hashes = new Set(record.wheels.map(({ sha256 }) => sha256));
  return (
    record.kind === kind &&
    record.version === version &&
    hashes.size === wheels.length &&
    wheels.every(({ sha256 }) => hashes.has(sha256))
  );
}

/**
 * Calls `fill` with an empty folder beside `folder` and puts it in the place of `folder` with the record that it
 * returns. When it throws, what was in that place stays and nothing else is left.
 */
export async function replaceSetup(
  folder: string,
  fill: (partial: string) => Promise<SetupRecord>,
): Promise<SetupRecord> {
  await removeLeftovers(folder);
  const partial = `${folder}${partialMark}${process.pid}`;
  const old = `${folder}${oldMark}${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    const record = await fill(partial);
    await writeFile(join(partial, recordName), `${JSON.stringify(record, null, 2)}\n`);
    await rename(folder, old).catch(unless("ENOENT"));
    await rename(partial, folder);
    await rm(old, { recursive: true, force: true });
    return record;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

function unless(code: string): (error: unknown) => void {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
  };
}

/** Removes what runs left that were ended without a chance to tidy up. */
async function removeLeftovers(folder: string): Promise<void> {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const mark = [partialMark, oldMark].find((mark) => path.startsWith(`${folder}${mark}`));
    if (mark === undefined) continue;
    const pid = Number(path.slice(folder.length + mark.length));
    if (!isRunning(pid)) await rm(path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
