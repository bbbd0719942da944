/**
 * Files of torch.save and torch.jit.save: a zip archive of one pickle and one stored entry a storage, or, before PyTorch
 * 1.6, pickles followed by storages. Storages are read by ranges of the file, when a tensor is asked for.
 */
import { CheckpointError } from "@diptych/core";
import { checkRange, readRange, type ByteSource } from "../bytes/byte-source.js";
import { STORED_BYTES } from "../bytes/element-types.js";
import { unpickle } from "../pickle/unpickle.js";
import { locateEntry, openZip, readEntry, type ZipArchive } from "../zip/zip-archive.js";
import type { ZipEntry } from "../zip/central-directory.js";
import { createTorchHost } from "./torch-globals.js";
import type { TorchStorage } from "./torch-values.js";

export interface TorchFile {
  readonly kind: "torchscript" | "zip" | "legacy";
  /** What was saved: plain data, tensors and records. */
  readonly value: unknown;
  /** Where a storage's bytes begin in the file. @throws CheckpointError where they are missing or of another size. */
  locate(storage: TorchStorage): Promise<number>;
}

/** Pickles hold names and shapes: the largest public models' need less than 2 MB. */
const MAX_PICKLE_BYTES = 16_000_000;
/** The pickle of the number by which the format before 1.6 begins. */
const LEGACY_MAGIC = Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");
const ZIP_MAGIC = Buffer.from("504b0304", "hex");

export type TorchContainer = "zip" | "legacy";

/** The container by its first bytes, undefined where it is neither. */
export async function detectTorchContainer(
  source: ByteSource,
): Promise<TorchContainer | undefined> {
  const length = Math.min(source.size, LEGACY_MAGIC.length);
  const start = Buffer.from((await readRange(source, 0, length)).buffer);
  if (start.subarray(0, 4).equals(ZIP_MAGIC)) return "zip";
  return start.equals(LEGACY_MAGIC) ? "legacy" : undefined;
}

/** @throws CheckpointError on a file that is damaged, of another format, or whose pickle names what is not allowed. */
export async function readTorchFile(source: ByteSource): Promise<TorchFile> {
  const container = await detectTorchContainer(source);
  if (container === "zip") return readTorchZip(source);
  if (container === "legacy") return readLegacyFile(source);
  throw new CheckpointError(
    `checkpoints/torch: ${source.path}: expected a file of torch.save or torch.jit.save, got other first bytes${source.size === 0 ? " (it is empty)" : ""}. The file is damaged or of another format.`,
  );
}

/** Whether a zip archive is of torch.jit.save: it alone has constants. */
export function isTorchScript(archive: ZipArchive): boolean {
  return [...archive.entries.keys()].some((name) => /^[^/]+\/constants\.pkl$/.test(name));
}

async function readTorchZip(source: ByteSource): Promise<TorchFile> {
  const archive = await openZip(source);
  const { path } = source;
  const pickles = [...archive.entries.values()].filter(({ name }) =>
    /^[^/]+\/data\.pkl$/.test(name),
  );
  const [pickle] = pickles;
  if (!pickle || pickles.length > 1) {
    throw new CheckpointError(
      `checkpoints/torch: ${path}: expected one NAME/data.pkl in the archive, got ${pickles.length}. It is a zip archive of something else.`,
    );
  }
  const root = pickle.name.slice(0, -"data.pkl".length);
  await checkByteOrder(archive, archive.entries.get(`${root}byteorder`));
  const bytes = await readEntry(archive, pickle, MAX_PICKLE_BYTES);
  const { value } = unpickle(path, bytes, { host: createTorchHost(path) });
  return Object.freeze({
    kind: isTorchScript(archive) ? "torchscript" : "zip",
    value,
    locate: (storage: TorchStorage) =>
      locateInZip(archive, storage, archive.entries.get(`${root}data/${storage.key}`)),
  });
}

async function checkByteOrder(archive: ZipArchive, entry: ZipEntry | undefined): Promise<void> {
  if (!entry) return;
  const order = Buffer.from(await readEntry(archive, entry, 16)).toString("latin1");
  if (order === "little") return;
  throw new CheckpointError(
    `checkpoints/torch: ${archive.source.path}: expected little-endian numbers, got "${order}". Save it again on another machine.`,
  );
}

async function locateInZip(
  archive: ZipArchive,
  { key, dtype, elements }: TorchStorage,
  entry: ZipEntry | undefined,
): Promise<number> {
  const wanted = elements * STORED_BYTES[dtype];
  const fail = (got: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/torch: storage "${key}" of ${archive.source.path}: expected ${wanted} bytes (${elements} of ${dtype}), got ${got}. The file is damaged.`,
    );
  if (!entry) throw fail("none");
  if (entry.method !== "stored") throw fail("packed ones, which PyTorch does not write");
  if (entry.size < wanted) throw fail(`${entry.size}`);
  return locateEntry(archive, entry);
}

/** The order in the file: magic, protocol, facts of the machine, the object, keys of its storages, then each storage's count and bytes. */
async function readLegacyFile(source: ByteSource): Promise<TorchFile> {
  const { path } = source;
  const host = createTorchHost(path);
  const storages = new Map<string, TorchStorage>();
  const bytes = await readRange(source, 0, Math.min(source.size, MAX_PICKLE_BYTES));
  const next = (begin: number, watched = host) => unpickle(path, bytes, { host: watched, begin });
  const protocol = next(LEGACY_MAGIC.length);
  const machine = next(protocol.end);
  if (!(machine.value instanceof Map) || machine.value.get("little_endian") !== true) {
    throw new CheckpointError(
      `checkpoints/torch: ${path}: expected little-endian numbers, got others. Save it again on another machine.`,
    );
  }
  const persistentLoad = (id: unknown): unknown => {
    const storage = host.persistentLoad(id) as TorchStorage;
    storages.set(storage.key, storage);
    return storage;
  };
  const saved = next(machine.end, { ...host, persistentLoad });
  const keys = next(saved.end);
  const begins = await findLegacyStorages(source, { keys: keys.value, at: keys.end, storages });
  return Object.freeze({
    kind: "legacy" as const,
    value: saved.value,
    locate: async ({ key }: TorchStorage) => {
      const begin = begins.get(key);
      if (begin !== undefined) return begin;
      throw new CheckpointError(
        `checkpoints/torch: ${path}: expected storage "${key}", got none. The file is damaged.`,
      );
    },
  });
}

interface LegacyStorages {
  readonly keys: unknown;
  readonly at: number;
  readonly storages: ReadonlyMap<string, TorchStorage>;
}

async function findLegacyStorages(
  source: ByteSource,
  { keys, at, storages }: LegacyStorages,
): Promise<ReadonlyMap<string, number>> {
  const begins = new Map<string, number>();
  let position = at;
  for (const key of Array.isArray(keys) ? (keys as unknown[]) : []) {
    const storage = storages.get(key as string);
    const count = (await readRange(source, position, 8)).buffer;
    const elements = Number(new DataView(count).getBigInt64(0, true));
    if (storage?.elements !== elements || begins.has(storage.key)) {
      throw new CheckpointError(
        `checkpoints/torch: ${source.path}: expected storage "${String(key)}" of ${storage?.elements ?? 0} elements, got ${elements}. The file is damaged.`,
      );
    }
    const size = elements * STORED_BYTES[storage.dtype];
    checkRange(source, position + 8, size);
    begins.set(storage.key, position + 8);
    position += 8 + size;
  }
  return begins;
}
