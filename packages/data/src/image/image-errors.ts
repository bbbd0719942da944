/** Reading image files, and what went wrong with them in words that name the file. */
import { readFile } from "node:fs/promises";
import { DataError } from "@diptych/core";

/** @throws DataError when the file is missing, a folder, or may not be read. */
export async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    const got: Record<string, string> = {
      ENOENT: "no such file",
      EISDIR: "a folder",
      EACCES: "a file that may not be read",
    };
    throw unreadable(path, got[code] ?? (cause as Error).message, {
      fix: "Check the path and who may read it.",
      cause,
    });
  }
}

/** @throws DataError when there are none. */
export function checkNotEmpty(bytes: Uint8Array, name: string): void {
  if (bytes.byteLength > 0) return;
  throw unreadable(name, "an empty file", {
    fix: "Replace the file, or remove it from the data set.",
  });
}

/** @throws DataError when a picture has more pixels than `limit`. */
export function checkPixels(
  size: { readonly width: number; readonly height: number },
  name: string,
  limit: number,
): void {
  if (size.width * size.height > limit) throw tooLarge(name, limit);
}

/** sharp's error as ours. */
export function explainDecoding(name: string, cause: unknown, pixelLimit: number): DataError {
  if (cause instanceof DataError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/exceeds pixel limit/i.test(message)) return tooLarge(name, pixelLimit, cause);
  if (/unsupported image format/i.test(message)) {
    return unreadable(name, "bytes of no known image format", {
      fix: "Use JPEG, PNG, WebP, GIF, AVIF, TIFF or SVG.",
      cause,
    });
  }
  return corrupt(name, (message.split("\n")[0] ?? "").trim(), cause);
}

export function corrupt(name: string, why: string, cause?: unknown): DataError {
  return unreadable(name, `a corrupt or cut-off picture (${why})`, {
    fix: `Replace the file, or set data.onBadSample to "skip".`,
    cause,
  });
}

function tooLarge(name: string, limit: number, cause?: unknown): DataError {
  return unreadable(name, `more than ${limit} pixels`, {
    fix: "Reduce the picture, or raise the limit (pixelLimit, maxPixels).",
    cause,
  });
}

function unreadable(
  name: string,
  got: string,
  { fix, cause }: { readonly fix: string; readonly cause?: unknown },
): DataError {
  return new DataError(
    `data/decodeImage: ${name}: expected a readable picture, got ${got}. ${fix}`,
    cause === undefined ? undefined : { cause },
  );
}
