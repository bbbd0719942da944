/** Hashes of what datasets hold: records in order, each as its JSON, so that no two lists of them read alike. */
import { createHash } from "node:crypto";

/** What a dataset's `fingerprint` gives. */
export interface DatasetFingerprint {
  readonly hash: string;
  readonly note: string;
}

export interface RecordHash {
  /** Adds a record; keys of objects count in the order of their names. Bytes are added by their own hash or with {@link bytes}. */
  add(record: unknown): void;
  bytes(values: Uint8Array): void;
  /** SHA-256 in hex. */
  digest(): string;
}

export function createRecordHash(): RecordHash {
  const hash = createHash("sha256");
  return Object.freeze({
    add: (record: unknown) => void hash.update(`${JSON.stringify(record, sortedKeys)}\n`),
    bytes: (values: Uint8Array) => void hash.update(`${values.length}\n`).update(values),
    digest: () => hash.digest("hex"),
  });
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
