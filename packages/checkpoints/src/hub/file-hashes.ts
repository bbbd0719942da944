/** What a file should be, and whether it is: SHA-256, git's SHA-1 of a blob, size. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

/** What is known of a file before it comes. */
export interface ExpectedContent {
  readonly sha256?: string;
  /** SHA-1 of `blob <size>\0` and the bytes, as git names small files. */
  readonly gitOid?: string;
  readonly size?: number;
}

const READ_BYTES = 1 << 20;

export interface CheckedFile {
  readonly sha256: string;
  readonly size: number;
  /** What is wrong, as "expected …, got …"; undefined where all fits. */
  readonly problem: string | undefined;
}

/** Reads what is on the disk, and compares it with what is expected. */
export async function checkFile(
  path: string,
  expected: ExpectedContent,
  signal?: AbortSignal,
): Promise<CheckedFile> {
  const { size } = await stat(path);
  const content = createHash("sha256");
  const git = expected.gitOid === undefined ? undefined : createHash("sha1");
  git?.update(`blob ${size}\0`);
  const stream = createReadStream(path, {
    highWaterMark: READ_BYTES,
    ...(signal ? { signal } : {}),
  });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    content.update(chunk);
    git?.update(chunk);
  }
  const sha256 = content.digest("hex");
  return {
    sha256,
    size,
    problem: findProblem(expected, { sha256, size, gitOid: git?.digest("hex") }),
  };
}

function findProblem(
  expected: ExpectedContent,
  found: { readonly sha256: string; readonly size: number; readonly gitOid: string | undefined },
): string | undefined {
  if (expected.sha256 !== undefined && expected.sha256 !== found.sha256) {
    return `expected SHA-256 ${expected.sha256}, got ${found.sha256}`;
  }
  if (expected.size !== undefined && expected.size !== found.size) {
    return `expected ${expected.size} bytes, got ${found.size}`;
  }
  if (expected.gitOid !== undefined && expected.gitOid !== found.gitOid) {
    return `expected git object ${expected.gitOid}, got ${String(found.gitOid)}`;
  }
  return undefined;
}
