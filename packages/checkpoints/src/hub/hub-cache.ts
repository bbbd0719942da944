/**
 * Pulled files on the disk: `blobs/<SHA-256>` hold each content once, `models/<name>/<commit>/` hold links to them under
 * their names, `names/<name>.json` say which folder a name stands for. Whatever is there is whole: all is put in place by
 * renaming.
 */
import { createHash, randomUUID } from "node:crypto";
import {
  chmod,
  copyFile,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { userCacheFolder } from "@diptych/core/host";
import { z } from "zod";

/** Folder of pulled models, in the user's cache (`DIPTYCH_CACHE` names another). */
export function hubCacheFolder(): string {
  return join(userCacheFolder(), "hub");
}

export function partsFolder(cacheDir: string): string {
  return join(cacheDir, "parts");
}

function blobPath(cacheDir: string, sha256: string): string {
  return join(cacheDir, "blobs", sha256);
}

/** Path of the bytes with this hash; undefined where they are not there in full. */
export async function findBlob(
  cacheDir: string,
  { sha256, size }: { readonly sha256?: string; readonly size?: number },
): Promise<string | undefined> {
  if (sha256 === undefined) return undefined;
  const path = blobPath(cacheDir, sha256);
  const facts = await stat(path).catch(() => undefined);
  return facts && (size === undefined || facts.size === size) ? path : undefined;
}

/** Puts a checked file in its place, read-only: models share it. */
export async function keepBlob(cacheDir: string, path: string, sha256: string): Promise<string> {
  const target = blobPath(cacheDir, sha256);
  await mkdir(dirname(target), { recursive: true });
  await chmod(path, 0o444);
  await rename(path, target);
  return target;
}

export async function dropBlob(cacheDir: string, sha256: string): Promise<void> {
  await rm(blobPath(cacheDir, sha256), { force: true });
}

/** Gives a blob a name: a hard link, or what the file system has instead. What was under the name is replaced. */
export async function linkBlob(blob: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    await link(blob, beside).catch(() =>
      symlink(relative(dirname(path), blob), beside).catch(() => copyFile(blob, beside)),
    );
    await rename(beside, path);
  } finally {
    // Renaming one link of a file over another does nothing.
    await rm(beside, { force: true });
  }
}

const recordSchema = z.object({
  name: z.string(),
  /** Folder or file, from the cache's folder. */
  path: z.string(),
  files: z.array(
    z.object({
      /** From the cache's folder. */
      path: z.string(),
      sha256: z.string(),
      size: z.int().min(0),
      source: z.string(),
    }),
  ),
  commit: z.string().nullable(),
  pulled: z.string(),
});

/** What a name stands for. */
export type HubRecord = z.output<typeof recordSchema>;

/** A file's name for `key`: readable, and distinct also where file systems ignore case. */
export function cacheKey(key: string): string {
  const readable = key
    .replace(/^https?:\/\//, "")
    .replace(/[^\w.-]+/g, "--")
    .slice(0, 80);
  return `${readable}-${createHash("sha256").update(key).digest("hex").slice(0, 12)}`;
}

function recordPath(cacheDir: string, key: string): string {
  return join(cacheDir, "names", `${cacheKey(key)}.json`);
}

/** What `key` stands for, if all of its files are there in full. */
export async function readRecord(cacheDir: string, key: string): Promise<HubRecord | undefined> {
  const text = await readFile(recordPath(cacheDir, key), "utf8").catch(() => undefined);
  const record = text === undefined ? undefined : parseRecord(text);
  if (!record) return undefined;
  for (const { path, size } of record.files) {
    const facts = await stat(join(cacheDir, path)).catch(() => undefined);
    if (facts?.size !== size) return undefined;
  }
  return record;
}

function parseRecord(text: string): HubRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeRecord(cacheDir: string, key: string, record: HubRecord): Promise<void> {
  const path = recordPath(cacheDir, key);
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${randomUUID()}.tmp`;
  await writeFile(beside, `${JSON.stringify(record, null, 2)}\n`);
  await rename(beside, path);
}
