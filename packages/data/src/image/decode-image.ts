/** Decoding of image files into plain pixels. Only this package knows sharp. */
import { readFile } from "node:fs/promises";
import { DataError, type Image } from "@diptych/core";
import sharp from "sharp";
import { plainBytes } from "./plain-bytes.js";

export interface DecodeOptions {
  /** Most pixels (width × height) that are decoded, default 100 million: guards against files made to fill memory. */
  readonly pixelLimit?: number;
  /** Turns the picture as its EXIF orientation says; default false, as PIL and so CLIP's own preprocessing. */
  readonly orient?: boolean;
  /** What to call the picture in errors when `source` holds bytes. */
  readonly name?: string;
}

export const DEFAULT_PIXEL_LIMIT = 100_000_000;

/**
 * Decodes a file (or its bytes) into 8-bit RGB, or RGBA of straight alpha where it has alpha: JPEG, PNG, WebP, GIF
 * (first frame), AVIF, TIFF, SVG. Grey pictures become RGB, palettes are expanded, CMYK and 16 bits are converted.
 *
 * @throws DataError naming the picture when it is missing, empty, corrupt, cut off, of an unknown format or too large.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<Image> {
  const name = options.name ?? (typeof source === "string" ? source : "image bytes");
  const bytes = typeof source === "string" ? await readImageFile(source) : source;
  if (bytes.byteLength === 0) {
    throw decodeError(name, "an empty file", "Replace the file, or remove it from the data set.");
  }
  const pixelLimit = options.pixelLimit ?? DEFAULT_PIXEL_LIMIT;
  try {
    const input = sharp(bytes, { limitInputPixels: pixelLimit, failOn: "error" });
    const { data, info } = await (options.orient ? input.autoOrient() : input)
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const channels = checkChannels(info.channels);
    return { width: info.width, height: info.height, channels, data: plainBytes(data) };
  } catch (cause) {
    throw explain(name, cause, pixelLimit);
  }
}

async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    const got: Record<string, string> = {
      ENOENT: "no such file",
      EISDIR: "a folder",
      EACCES: "a file that may not be read",
    };
    throw decodeError(
      path,
      got[code] ?? (cause as Error).message,
      "Check the path and who may read it.",
      cause,
    );
  }
}

function checkChannels(channels: number): 1 | 3 | 4 {
  if (channels === 1 || channels === 3 || channels === 4) return channels;
  throw new Error(`${channels} channels`);
}

function explain(name: string, cause: unknown, pixelLimit: number): DataError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/exceeds pixel limit/i.test(message)) {
    return decodeError(
      name,
      `more than ${pixelLimit} pixels`,
      "Reduce the picture, or raise pixelLimit.",
      cause,
    );
  }
  if (/unsupported image format/i.test(message)) {
    return decodeError(
      name,
      "bytes of no known image format",
      "Use JPEG, PNG, WebP, GIF, AVIF, TIFF or SVG.",
      cause,
    );
  }
  return decodeError(
    name,
    `a corrupt or cut-off picture (${(message.split("\n")[0] ?? "").trim()})`,
    `Replace the file, or set data.onBadSample to "skip".`,
    cause,
  );
}

function decodeError(name: string, got: string, fix: string, cause?: unknown): DataError {
  return new DataError(
    `data/decodeImage: ${name}: expected a readable picture, got ${got}. ${fix}`,
    cause === undefined ? undefined : { cause },
  );
}
