/** Weights in several files with an index that says which tensor lies where, as Hugging Face writes large models. */
import { basename, dirname, join } from "node:path";
import { CheckpointError, type CheckpointReader, type TensorEntry } from "@diptych/core";
import { readJson } from "./safetensors-file.js";

const MAX_SHARDS = 1000;

/**
 * One reader over all shards.
 *
 * @throws CheckpointError where the index names a file outside its folder, or a tensor that its shard does not have.
 */
export async function openShards(
  indexPath: string,
  extension: string,
  open: (path: string) => Promise<CheckpointReader>,
): Promise<CheckpointReader> {
  const files = parseIndex(indexPath, await readJson(indexPath), extension);
  const shards = new Map<string, CheckpointReader>();
  const close = async (): Promise<void> => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const file of new Set(files.values()))
      shards.set(file, await open(join(dirname(indexPath), file)));
    const entries = findEntries(indexPath, files, shards);
    return Object.freeze({
      path: indexPath,
      entries: Object.freeze(entries),
      metadata: Object.freeze({}),
      read: async (name: string) => {
        const shard = shards.get(files.get(name) ?? "");
        if (!shard) throw refuse(indexPath, `no tensor "${name}" among its ${files.size}`);
        return shard.read(name);
      },
      close,
    });
  } catch (error) {
    await close();
    throw error;
  }
}

function findEntries(
  path: string,
  files: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, CheckpointReader>,
): TensorEntry[] {
  const held = new Map(
    [...shards].map(([file, { entries }]) => [
      file,
      new Map(entries.map((entry) => [entry.name, entry])),
    ]),
  );
  return [...files].map(([name, file]) => {
    const entry = held.get(file)?.get(name);
    if (entry) return entry;
    throw refuse(path, `"${name}" in ${file}, which does not have it`);
  });
}

function refuse(path: string, got: string): CheckpointError {
  return new CheckpointError(
    `checkpoints/shards: ${path}: expected an index of tensors by file, got ${got}. The folder is incomplete or damaged.`,
  );
}

function parseIndex(
  path: string,
  json: Readonly<Record<string, unknown>>,
  extension: string,
): ReadonlyMap<string, string> {
  const { weight_map: map } = json;
  if (typeof map !== "object" || map === null) throw refuse(path, "no weight_map");
  const files = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    // A plain name only: the index is from the net and must not lead out of its folder.
    const isPlain =
      typeof file === "string" &&
      basename(file) === file &&
      /^[\w.-]+$/.test(file) &&
      file.endsWith(extension);
    if (!isPlain) throw refuse(path, `the file ${JSON.stringify(file).slice(0, 200)}`);
    files.set(name, file);
  }
  if (new Set(files.values()).size > MAX_SHARDS)
    throw refuse(path, `more than ${MAX_SHARDS} files`);
  return files;
}
