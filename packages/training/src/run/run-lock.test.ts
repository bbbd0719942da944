import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { isDiptychError } from "@diptych/core";
import { expect, test } from "vitest";
import { acquireRunLock, LOCK_FILE } from "./run-lock.js";
import { temporaryFolder } from "./temporary-folder.test-support.js";

function writeLock(folder: string, holder: object): string {
  const path = join(folder, LOCK_FILE);
  writeFileSync(
    path,
    JSON.stringify({ host: hostname(), started: null, since: "then", ...holder }),
  );
  return path;
}

test("a folder has one run; released, it can be taken again", async () => {
  const folder = join(temporaryFolder(), "run");
  const lock = await acquireRunLock(folder);
  const second = acquireRunLock(folder);
  await expect(second).rejects.toThrow(
    new RegExp(`no other run uses, got one in use by process ${process.pid} since .*--out.*delete`),
  );
  await second.catch((error: unknown) => expect(isDiptychError(error, "TRAINING")).toBe(true));
  await lock.release();
  expect(existsSync(lock.path)).toBe(false);
  await (await acquireRunLock(folder)).release();
});

test("the lock of a process that is gone is taken over", async () => {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  const pid = child.pid!;
  writeLock(folder, { pid });
  await expect(acquireRunLock(folder)).rejects.toThrow(`process ${pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  const lock = await acquireRunLock(folder);
  expect(JSON.parse(readFileSync(lock.path, "utf8"))).toMatchObject({ pid: process.pid });
  await lock.release();
});

test.runIf(process.platform === "linux")("a process id used again is not the holder", async () => {
  const folder = temporaryFolder();
  writeLock(folder, { pid: process.pid, started: "1" });
  await (await acquireRunLock(folder)).release();
});

test("a lock of another machine holds, and its error names the machine", async () => {
  const folder = temporaryFolder();
  writeLock(folder, { pid: 1, host: "elsewhere" });
  await expect(acquireRunLock(folder)).rejects.toThrow(/process 1 on elsewhere since then/);
});

test("a lock cut off while it was written is taken over", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, LOCK_FILE), '{"pid": 1');
  await (await acquireRunLock(folder)).release();
});

test("release leaves a lock that another process has taken since", async () => {
  const folder = temporaryFolder();
  const lock = await acquireRunLock(folder);
  writeLock(folder, { pid: 4711 });
  await lock.release();
  expect(existsSync(lock.path)).toBe(true);
});

test("of several that find a stale lock, one takes it", async () => {
  for (let round = 0; round < 10; round++) {
    const folder = temporaryFolder();
    writeFileSync(join(folder, LOCK_FILE), "broken");
    const tries = Array.from({ length: 8 }, () => acquireRunLock(folder));
    const results = await Promise.allSettled(tries);
    expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
    expect(readdirSync(folder)).toEqual([LOCK_FILE]);
  }
});
