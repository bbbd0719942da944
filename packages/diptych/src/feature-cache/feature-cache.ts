/** Features kept on disk between runs, each entry a safetensors file named by the hash of all that it depends on. */
import { createHash } from "node:crypto";
import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { FeatureCache, FeatureKey, HostTensor } from "@diptych/core";
import { safetensorsFile } from "@diptych/checkpoints";
import { weightsFingerprint } from "../fingerprint.js";

/** Raised when what is stored under a key changes its meaning. */
const LAYOUT = 1;
const EXTENSION = ".safetensors";
const DEFAULT_BYTES = 10 * 2 ** 30;

export interface FeatureCacheOptions {
  readonly folder: string;
  /** {@link modelIdentity}. */
  readonly model: string;
  /** Entries that were not used for longest go when they are more than this together; 10 GiB by default. */
  readonly maxBytes?: number;
  /** Told where an entry cannot be written; evaluation goes on without. */
  readonly log?: (text: string) => void;
}

/**
 * A cache whose entries are whole or absent: written beside and renamed, with a hash of their values that each reading
 * checks. Several processes may use one folder.
 */
export function createFeatureCache({
  folder,
  model,
  maxBytes = DEFAULT_BYTES,
  log = () => undefined,
}: FeatureCacheOptions): FeatureCache {
  const pathOf = ({ what, content }: FeatureKey): string => {
    const key = JSON.stringify([LAYOUT, model, what, content]);
    return join(folder, `${createHash("sha256").update(key).digest("hex")}${EXTENSION}`);
  };
  return Object.freeze({
    read: (key: FeatureKey) => readEntry(pathOf(key)),
    write: async (key: FeatureKey, features: ReadonlyMap<string, HostTensor>) => {
      const path = pathOf(key);
      try {
        const hash = weightsFingerprint(features);
        await safetensorsFile.write(path, { tensors: features, metadata: { hash } });
        await trimFolder(folder, { maxBytes, keep: path });
      } catch (error) {
        // The features are there and their evaluation worth more than the next one's time.
        log(`features are not cached: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  });
}

/** Undefined where there is none, or none that is whole. */
async function readEntry(path: string): Promise<ReadonlyMap<string, HostTensor> | undefined> {
  try {
    if ((await stat(path)).size === 0) return undefined;
  } catch {
    return undefined;
  }
  try {
    const reader = await safetensorsFile.open(path);
    try {
      const tensors = new Map<string, HostTensor>();
      for (const { name } of reader.entries) tensors.set(name, await reader.read(name));
      if (reader.metadata["hash"] !== weightsFingerprint(tensors)) return undefined;
      const now = new Date();
      // When it was last used; another process may have removed it meanwhile.
      await utimes(path, now, now).catch(() => undefined);
      return tensors;
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** A truncated or overwritten entry is as good as none, and will be written again. */
function isDamage(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === "CHECKPOINT" || code === "ENOENT";
}

async function trimFolder(
  folder: string,
  { maxBytes, keep }: { maxBytes: number; keep: string },
): Promise<void> {
  const entries: { path: string; bytes: number; used: number }[] = [];
  for (const name of await readdir(folder)) {
    if (!name.endsWith(EXTENSION)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found) entries.push({ path, bytes: found.size, used: found.mtimeMs });
  }
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of entries.sort((a, b) => a.used - b.used)) {
    if (total <= maxBytes) return;
    if (path === keep) continue;
    await rm(path, { force: true });
    total -= bytes;
  }
}
