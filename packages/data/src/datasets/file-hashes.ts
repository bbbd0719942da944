/**
 * SHA-256 of files' contents, remembered by path, size and times, so that a set is read once and then only looked at. The
 * memory is a file that may be deleted any time.
 */
import { createHash, randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { DataError } from "@diptych/core";
import { z } from "zod";
import { eachBounded } from "../each-bounded.js";

export interface HashFilesOptions {
  /** Folder that the files are in, or most of them: names their memory. */
  readonly root: string;
  /** Folder for the memory; without it every file is read each time. */
  readonly cacheDir?: string;
  readonly report?: (what: string, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Files read at once. */
const AT_ONCE = 4;
const REPORT_EVERY = 256;
/** A file changed this shortly before it was read may change again without its times showing it. */
const UNSURE_MS = 2000;

const memorySchema = z.object({
  format: z.literal(1),
  /** By path from the root: size, times of change of content and of anything, hash. */
  files: z.record(z.string(), z.tuple([z.number(), z.number(), z.number(), z.string()])),
});
type Memory = z.output<typeof memorySchema>["files"];

/**
 * Hashes (hex) by path; null for a file that is not there. A file is read again when its size or times changed.
 *
 * @throws DataError where a file cannot be read or the memory not written; the signal's reason when it is aborted.
 */
export async function hashFiles(
  paths: readonly string[],
  options: HashFilesOptions,
): Promise<ReadonlyMap<string, string | null>> {
  const { root, cacheDir, report, signal } = options;
  const place = cacheDir === undefined ? undefined : memoryPlace(cacheDir, root);
  const known = place === undefined ? {} : await readMemory(place);
  const unique = [...new Set(paths)];
  const hashes = new Map<string, string | null>();
  const remembered: Memory = {};
  const looked = new Set<string>();
  let read = 0;
  let done = 0;
  await eachBounded(unique.length, AT_ONCE, async (i) => {
    signal?.throwIfAborted();
    const path = unique[i] as string;
    const key = relative(root, path);
    looked.add(key);
    const stats = await statIfPresent(path);
    const before = Object.hasOwn(known, key) ? known[key] : undefined;
    const isKnown = stats && before && isUnchanged(stats, before);
    const hash = isKnown ? before[3] : stats ? await hashFile(path) : null;
    hashes.set(path, hash);
    if (!isKnown && hash !== null) read += 1;
    if (stats && hash !== null && (isKnown || stats.mtimeMs < Date.now() - UNSURE_MS)) {
      remembered[key] = [stats.size, stats.mtimeMs, stats.ctimeMs, hash];
    }
    done += 1;
    if (read > 0 && (done % REPORT_EVERY === 0 || done === unique.length)) {
      report?.("hashing pictures", done, unique.length);
    }
  });
  if (place !== undefined && read > 0) {
    // Another set may have its files in the same folder.
    const others = Object.entries(known).filter(([key]) => !looked.has(key));
    await writeMemory(place, { ...Object.fromEntries(others), ...remembered });
  }
  return hashes;
}

function isUnchanged(stats: Stats, [size, modified, changed]: Memory[string]): boolean {
  return stats.size === size && stats.mtimeMs === modified && stats.ctimeMs === changed;
}

function memoryPlace(cacheDir: string, root: string): { folder: string; file: string } {
  const name = createHash("sha256").update(root).digest("hex").slice(0, 16);
  return { folder: cacheDir, file: join(cacheDir, `file-hashes-${name}.json`) };
}

/** Nothing where it is missing or damaged: then all files are read. */
async function readMemory({ file }: { readonly file: string }): Promise<Memory> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw unreadable(file, cause);
  }
  try {
    const parsed = memorySchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.files : {};
  } catch {
    return {};
  }
}

/** Whole or not at all, so that a reader at the same time sees the old or the new one. */
async function writeMemory(
  { folder, file }: { readonly folder: string; readonly file: string },
  files: Memory,
): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(draft, JSON.stringify({ format: 1, files }));
    await rename(draft, file);
  } catch (cause) {
    throw new DataError(
      `data/hashFiles: cache: expected to write ${file}, got: ${messageOf(cause)}. Free some space, or choose another cache folder.`,
      { cause },
    );
  } finally {
    await rm(draft, { force: true });
  }
}

async function statIfPresent(path: string): Promise<Stats | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? stats : undefined;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, cause);
  }
}

async function hashFile(path: string): Promise<string> {
  try {
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): DataError {
  return new DataError(
    `data/hashFiles: ${path}: expected a readable file, got: ${messageOf(cause)}. Check its permissions.`,
    { cause },
  );
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
