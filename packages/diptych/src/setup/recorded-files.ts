/** Files of a set-up by path, size and SHA-256, as `setup.json` records them. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

export interface RecordedFile {
  /** Relative to the set-up's folder, with `/`. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** SHA-256 of a file's bytes, lower-case hexadecimal. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest("hex");
}

/** @param paths Relative to `folder`. */
export async function recordFiles(
  folder: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<readonly RecordedFile[]> {
  const files: RecordedFile[] = [];
  for (const path of [...paths].sort()) {
    const { size } = await stat(join(folder, path));
    files.push({ path, sha256: await hashFile(join(folder, path), signal), bytes: size });
  }
  return files;
}

/** What is wrong with the first file that is not as recorded, or null. */
export async function findChangedFile(
  folder: string,
  files: readonly RecordedFile[],
  signal?: AbortSignal,
): Promise<string | null> {
  for (const { path, sha256, bytes } of files) {
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (found === undefined) return `${path} is gone`;
    if (found.size !== bytes) return `${path} has ${found.size} bytes instead of ${bytes}`;
    if ((await hashFile(join(folder, path), signal)) !== sha256) return `${path} has other bytes`;
  }
  return null;
}
