/**
 * Files on their way. Each download writes a file of its own, named by content, machine and process, so that two never
 * write one; one that a dead process left behind is taken over by renaming it, which only one can do.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

export interface PartFile {
  readonly path: string;
  /** Bytes that are there. */
  size(): Promise<number>;
  /** Entity tag or date of what the bytes are of, where known. */
  validator(): Promise<string | undefined>;
  setValidator(validator: string | undefined): Promise<void>;
  /** Leaves it for a later download. */
  release(): void;
  /** Deletes it. */
  discard(): Promise<void>;
}

/** Parts that this process is writing. */
const active = new Set<string>();

/** A part of another machine, or of a process whose number is in use, is an orphan after this time without a write. */
const ORPHAN_MS = 10 * 60 * 1000;

const HOST = hostname().replace(/[^\w-]/g, "_");
const NAME = /^([\w-]+)\.([\w-]+)\.(\d+)\.([\w-]+)\.part$/;

/** The part of `key` that was left behind, or a new one. */
export async function claimPart(folder: string, key: string): Promise<PartFile> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${key}.${HOST}.${process.pid}.${randomUUID()}.part`);
  active.add(path);
  for (const found of await orphans(folder, key)) {
    try {
      await rename(found, path);
    } catch {
      // Another download was first.
      continue;
    }
    await rename(`${found}.from`, `${path}.from`).catch(() => undefined);
    break;
  }
  return partFile(path);
}

async function orphans(folder: string, key: string): Promise<readonly string[]> {
  const found: { path: string; size: number }[] = [];
  for (const name of await readdir(folder)) {
    const [, ofKey, host, pid] = NAME.exec(name) ?? [];
    if (ofKey !== key) continue;
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts || active.has(path)) continue;
    const isStale = Date.now() - facts.mtimeMs > ORPHAN_MS;
    const isMine = host === HOST && Number(pid) === process.pid;
    if (isMine || isStale || (host === HOST && !isAlive(Number(pid)))) {
      found.push({ path, size: facts.size });
    }
  }
  return found.sort((a, b) => b.size - a.size).map(({ path }) => path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function partFile(path: string): PartFile {
  const from = `${path}.from`;
  return {
    path,
    size: async () => (await stat(path).catch(() => undefined))?.size ?? 0,
    validator: () => readFile(from, "utf8").catch(() => undefined),
    setValidator: async (validator) => {
      if (validator === undefined) await rm(from, { force: true });
      else await writeFile(from, validator);
    },
    release: () => active.delete(path),
    discard: async () => {
      await rm(path, { force: true });
      await rm(from, { force: true });
      active.delete(path);
    },
  };
}
