/** What lies in the folder of native libraries: set-ups that are whole, and what an interrupted one left. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { nativeFolder } from "@diptych/core/host";
import { readSetup } from "../setup/setup-folder.js";

export interface NativeSetup {
  readonly name: string;
  /** Of `setup.json`; null where there is none, and nothing there is used. */
  readonly kind: string | null;
  readonly version: string | null;
  /** The line that its check gave. */
  readonly detail: string | null;
  readonly bytes: number;
}

export interface NativeFacts {
  readonly folder: string;
  readonly setups: readonly NativeSetup[];
}

export async function findNativeFacts(folder = nativeFolder()): Promise<NativeFacts> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const setups = folders.sort().map(async (name): Promise<NativeSetup> => {
    const path = join(folder, name);
    const record = await readSetup(path);
    return {
      name,
      kind: record?.kind ?? null,
      version: record?.version ?? null,
      detail: record?.detail ?? null,
      bytes: await sizeOf(path),
    };
  });
  return { folder, setups: await Promise.all(setups) };
}

/** Bytes of all files below; links count as nothing, and what goes away meanwhile is passed over. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await sizeOf(path);
    else if (entry.isFile()) bytes += (await stat(path).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}
