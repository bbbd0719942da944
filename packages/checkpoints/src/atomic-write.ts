/** Files that are either wholly written or not there: written beside, flushed to disk, renamed. */
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CheckpointError } from "@diptych/core";

/** Says what a failed write means and how to mend it. */
function writeError(path: string, cause: unknown): CheckpointError {
  const code = (cause as NodeJS.ErrnoException).code ?? "error";
  const hint =
    code === "ENOSPC"
      ? "The disk is full: free some space; what was there before is untouched."
      : "What was there before is untouched.";
  return new CheckpointError(
    `checkpoints/write: ${path}: expected to write it, got ${code}. ${hint}`,
    { cause },
  );
}

/** Writes `chunks` to `path` by way of a file beside it. @throws CheckpointError on a failed write. */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(beside, "w");
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (cause) {
    await rm(beside, { force: true });
    throw writeError(path, cause);
  }
}

/** Writes JSON the same way. */
export async function writeJsonAtomically(path: string, value: unknown): Promise<void> {
  await writeFileAtomically(path, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]);
}

/**
 * Fills a folder beside `path`, then puts it in the place of `path`.
 *
 * @throws CheckpointError on a failed write; what was there before stays.
 */
export async function writeFolderAtomically(
  path: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const beside = `${path}.${randomUUID()}.tmp`;
  const before = `${path}.${randomUUID()}.old`;
  try {
    await mkdir(beside, { recursive: true });
    await fill(beside);
    await rename(path, before).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
    await rename(beside, path);
    await rm(before, { recursive: true, force: true });
  } catch (cause) {
    await rm(beside, { recursive: true, force: true });
    if (cause instanceof CheckpointError) throw cause;
    throw writeError(path, cause);
  }
}
