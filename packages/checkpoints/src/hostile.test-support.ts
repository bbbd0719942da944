// Opens hostile files: within a second of the processor and 100 MB, and in a folder that nothing else appears in.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDiptychError, ones, type ParameterSpec } from "@diptych/core";
import { afterEach, beforeEach, expect } from "vitest";
import { loadParameters } from "./load-parameters.js";
import { openCheckpoint } from "./open-checkpoint.js";

/** The folder of the running test. */
export let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-hostile-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Opens and reads everything, within the time and memory that a hostile file may take; gives the error's message. */
export async function refusal(path: string): Promise<string> {
  const memory = process.memoryUsage.rss();
  const before = process.cpuUsage();
  const error = await readEverything(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  // Of the processor: the machine may be busy with other tests.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000, "milliseconds").toBeLessThan(1000);
  expect(process.memoryUsage.rss() - memory, "bytes").toBeLessThan(100_000_000);
  expect(isDiptychError(error, "CHECKPOINT"), String(error)).toBe(true);
  return (error as Error).message;
}

export async function readEverything(path: string): Promise<void> {
  const { reader } = await openCheckpoint(path);
  try {
    const specs = reader.entries.map(({ name, shape }): ParameterSpec => ({
      name,
      shape,
      role: "weight",
      initializer: ones,
      weightDecay: false,
    }));
    await loadParameters(reader, specs);
  } finally {
    await reader.close();
  }
}

/** Writes a file, which must be refused, and gives the message. */
export async function refusedFile(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(folder, name), bytes);
  const message = await refusal(join(folder, name));
  expect(await readdir(folder)).toEqual([name]);
  return message;
}
