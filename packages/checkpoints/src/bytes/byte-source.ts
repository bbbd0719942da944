/** Bytes that are read by ranges: an open file, or memory. Every range is checked before anything is allocated. */
import { open, type FileHandle } from "node:fs/promises";
import { CheckpointError } from "@diptych/core";

export interface ByteSource {
  readonly path: string;
  readonly size: number;
  /** Fills `target` from `begin`. @throws CheckpointError where the range is not inside the file. */
  readInto(target: Uint8Array, begin: number): Promise<void>;
  close(): Promise<void>;
}

// One call reads at most this much: some systems refuse 2 GB and more at once.
const MOST_AT_ONCE = 2 ** 30;

/** @throws CheckpointError when there is no readable file. */
export async function openFileSource(path: string): Promise<ByteSource> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw Object.assign(new Error("no file"), { code: "no regular file" });
    const { size } = status;
    return Object.freeze({
      path,
      size,
      readInto: (target: Uint8Array, begin: number) => fill({ path, size, file, target, begin }),
      close: () => file.close(),
    });
  } catch (cause) {
    await file.close();
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): CheckpointError {
  return new CheckpointError(
    `checkpoints/read: ${path}: expected a readable file, got ${(cause as NodeJS.ErrnoException).code ?? "an error"}. Check the path.`,
    { cause },
  );
}

interface Fill {
  readonly path: string;
  readonly size: number;
  readonly file: FileHandle;
  readonly target: Uint8Array;
  readonly begin: number;
}

async function fill({ path, size, file, target, begin }: Fill): Promise<void> {
  checkRange({ path, size }, begin, target.length);
  let done = 0;
  while (done < target.length) {
    const most = Math.min(target.length - done, MOST_AT_ONCE);
    const { bytesRead } = await file.read(target, done, most, begin + done);
    if (bytesRead === 0) {
      throw new CheckpointError(
        `checkpoints/read: ${path}: expected ${target.length} bytes at ${begin}, got ${done}. The file became shorter while it was read.`,
      );
    }
    done += bytesRead;
  }
}

/** Bytes in memory under a name for errors. */
export function memorySource(path: string, bytes: Uint8Array): ByteSource {
  return Object.freeze({
    path,
    size: bytes.length,
    readInto: async (target: Uint8Array, begin: number) => {
      checkRange({ path, size: bytes.length }, begin, target.length);
      target.set(bytes.subarray(begin, begin + target.length));
    },
    close: async () => undefined,
  });
}

/** @throws CheckpointError where `length` bytes at `begin` are not inside the source. */
export function checkRange(
  { path, size }: Pick<ByteSource, "path" | "size">,
  begin: number,
  length: number,
): void {
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(length) || begin < 0 || length < 0) {
    throw new CheckpointError(
      `checkpoints/read: ${path}: expected a range of bytes, got ${length} at ${begin}. The file is damaged.`,
    );
  }
  if (begin + length > size) {
    throw new CheckpointError(
      `checkpoints/read: ${path}: expected ${length} bytes at ${begin}, got a file of ${size}. The file is truncated: copy or download it again.`,
    );
  }
}

/** Exactly `length` bytes at `begin`, in a buffer of their own. @throws CheckpointError where they are not inside the file. */
export async function readRange(
  source: ByteSource,
  begin: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  checkRange(source, begin, length);
  const bytes = new Uint8Array(length);
  await source.readInto(bytes, begin);
  return bytes;
}
