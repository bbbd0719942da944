/**
 * The rendered pictures on disk: raw pixels (`.bin`) and an index (`.json`) that is written last, so that a set is
 * whole or absent. The name carries a hash of all that the pixels depend on; a damaged set is rendered again.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@diptych/core";
import { plainBytes } from "../../image/plain-bytes.js";
import type { EmojiConcept } from "./concepts.js";

/** Raised when the layout of the files or the way of rendering changes. */
const FORMAT = 1;

interface CacheIndex {
  readonly format: number;
  readonly sha256: string;
  readonly concepts: readonly EmojiConcept[];
}

export interface CachedPictures {
  readonly concepts: readonly EmojiConcept[];
  readonly pixels: Uint8Array;
}

/** Where the pictures made from `ingredients` (versions, settings) lie. */
export interface CachePlace {
  readonly folder: string;
  readonly stem: string;
}

export function cachePlace(folder: string, imageSize: number, ingredients: unknown): CachePlace {
  const hash = createHash("sha256")
    .update(JSON.stringify([FORMAT, ingredients]))
    .digest("hex");
  return { folder, stem: `emoji-${imageSize}-${hash.slice(0, 12)}` };
}

/** The cached pictures, or undefined when there are none or they are damaged. */
export async function readCachedPictures(place: CachePlace): Promise<CachedPictures | undefined> {
  const [index, pixels] = await Promise.all([
    readIfPresent(join(place.folder, `${place.stem}.json`)),
    readIfPresent(join(place.folder, `${place.stem}.bin`)),
  ]);
  if (index === undefined || pixels === undefined) return undefined;
  const parsed = parseIndex(index.toString("utf8"));
  if (parsed?.format !== FORMAT || parsed.sha256 !== sha256(pixels)) return undefined;
  return {
    concepts: Object.freeze(parsed.concepts.map(frozenConcept)),
    pixels: plainBytes(pixels),
  };
}

/** Writes atomically: whoever reads sees the old state or the new one. @throws DataError naming the folder. */
export async function writeCachedPictures(
  place: CachePlace,
  pictures: CachedPictures,
): Promise<void> {
  const index: CacheIndex = {
    format: FORMAT,
    sha256: sha256(pictures.pixels),
    concepts: pictures.concepts,
  };
  try {
    await mkdir(place.folder, { recursive: true });
    await writeWhole(join(place.folder, `${place.stem}.bin`), pictures.pixels);
    await writeWhole(join(place.folder, `${place.stem}.json`), JSON.stringify(index));
  } catch (cause) {
    throw new DataError(
      `data/emoji: cache: expected to write ${place.stem} in ${place.folder}, got: ${cause instanceof Error ? cause.message : String(cause)}. Free some space (30 MB are enough), or choose another cache folder.`,
      { cause },
    );
  }
}

async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, content);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new DataError(
      `data/emoji: cache: expected to read ${path}, got: ${(error as Error).message}. Delete it, or choose another cache folder.`,
      { cause: error },
    );
  }
}

function parseIndex(text: string): CacheIndex | undefined {
  try {
    return JSON.parse(text) as CacheIndex;
  } catch {
    // A half-written or damaged index is a missing one.
    return undefined;
  }
}

function frozenConcept(concept: EmojiConcept): EmojiConcept {
  return Object.freeze({ ...concept, tags: Object.freeze([...concept.tags]) });
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
