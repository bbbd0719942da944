/** One process per run folder: a lock file that names its holder; one whose holder is gone is taken over. */
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { TrainingError } from "@diptych/core";
import { z } from "zod";

const holderSchema = z.object({
  pid: z.int().min(1),
  host: z.string(),
  /** When the process began, as the system counts; null where it does not say. Tells a reused process id. */
  started: z.string().nullable(),
  /** When the lock was taken, for people. */
  since: z.string(),
});

type Holder = z.output<typeof holderSchema>;

export interface RunLock {
  readonly path: string;
  /** Removes the lock if it is still this process's. */
  release(): Promise<void>;
}

export const LOCK_FILE = "run.lock";

/** Finding a stale lock, removing it and taking one's own, with others at the same. */
const ATTEMPTS = 50;
const RETRY_MS = 20;
const TAKEOVER_MS = 10_000;

/**
 * Takes the lock of a run folder, made where it is missing.
 *
 * @throws TrainingError naming the process that holds it, and how to mend that.
 */
export async function acquireRunLock(folder: string): Promise<RunLock> {
  const path = join(folder, LOCK_FILE);
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    started: processStart(process.pid) ?? null,
    since: new Date().toISOString(),
  };
  const text = `${JSON.stringify(own)}\n`;
  await mkdir(folder, { recursive: true });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await createFile(path, text)) return lockOf(path, text);
    const found = await readText(path);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder && isLive(holder)) throw inUse(folder, path, holder);
    await removeStale(path, found);
  }
  throw new TrainingError(
    `training/acquireRunLock: ${folder}: expected to take the lock, got one that others keep taking. Use another folder (--out).`,
  );
}

function lockOf(path: string, text: string): RunLock {
  return Object.freeze({
    path,
    release: async () => {
      if ((await readText(path)) === text) await rm(path, { force: true });
    },
  });
}

/** Makes a file with its content at once, so that nobody reads half of it; false where there is one already. */
async function createFile(path: string, text: string): Promise<boolean> {
  const beside = `${path}.${randomUUID()}`;
  try {
    await writeFile(beside, text);
    await link(beside, path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST") return false;
    if (code !== undefined && NO_LINKS.has(code)) return await createPlainFile(path, text);
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
}

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP"]);

async function createPlainFile(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Removes a lock that was found stale. Of several who found it, one at a time may, and only if it is still that very
 * lock: otherwise the second would remove the new lock of the first.
 */
async function removeStale(path: string, found: string): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await createFile(guard, String(process.pid)))) {
    const age = Date.now() - ((await stat(guard).catch(() => undefined))?.mtimeMs ?? Date.now());
    // Taking over takes milliseconds: one that is older was killed in it.
    if (age > TAKEOVER_MS) await rm(guard, { force: true });
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    return;
  }
  try {
    if ((await readText(path)) === found) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function isLive({ pid, host, started }: Holder): boolean {
  // Another machine's processes cannot be asked after.
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if (codeOf(error) === "ESRCH") return false;
  }
  const now = processStart(pid);
  return started === null || now === undefined || now === started;
}

/** Start time of a process in clock ticks since boot, where /proc tells. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in parentheses and may hold spaces; the start time is field 22.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function inUse(folder: string, path: string, { pid, host, since }: Holder): TrainingError {
  const where = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  return new TrainingError(
    `training/acquireRunLock: ${folder}: expected a folder that no other run uses, got one in use by ${where} since ${since}. Wait for that run, end it, or use another folder (--out); if it is gone for sure, delete ${path}.`,
  );
}
