/** A JSONL file of pictures and captions as a dataset. */
import { createReadStream } from "node:fs";
import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline";
import { DataError, isDiptychError, type SizedDataset } from "@diptych/core";
import { decodeImage } from "../../image/decode-image.js";
import { checkIndex } from "../check-index.js";
import { drawDistinct } from "../draw-distinct.js";
import { hashFiles, type HashFilesOptions } from "../file-hashes.js";
import { createRecordHash, type DatasetFingerprint } from "../fingerprint.js";
import type { JsonlConfig } from "./config.js";
import { parseLine, type JsonlEntry } from "./parse-line.js";

/** Problems that one error lists. */
const MOST_LISTED = 10;

export interface JsonlDataset extends SizedDataset {
  conceptOf(index: number): string;
  captions(): Iterable<string>;
  fingerprint(): Promise<DatasetFingerprint>;
}

/**
 * Reads the file; pictures are decoded when they are asked for. Samples without `concept` are each their own. Where
 * more pictures of a sample are wanted, the one there is repeats.
 *
 * @param baseDir Where a relative path starts.
 * @param hashing Where hashes of the pictures are remembered, for `fingerprint`.
 * @throws DataError when the file is missing or empty, and listing all lines (file:line) that are wrong.
 */
export async function loadJsonl(
  config: JsonlConfig,
  baseDir: string,
  hashing: Omit<HashFilesOptions, "root"> = {},
): Promise<JsonlDataset> {
  const file = resolve(baseDir, config.path);
  const imageRoot =
    config.imageRoot === undefined ? dirname(file) : resolve(baseDir, config.imageRoot);
  const entries = await readEntries(file, config.path);
  const size = entries.length;
  const at = (index: number): JsonlEntry => entries[checkIndex(index, size, "jsonl")] as JsonlEntry;
  const idOf = (entry: JsonlEntry): string => `${config.path}:${entry.line}`;
  return Object.freeze({
    kind: "sized" as const,
    name: `jsonl ${config.path}`,
    size,
    // Ids hold a colon and a line, so that no one's concept is another's by chance.
    conceptOf: (index) => at(index).concept ?? idOf(at(index)),
    *captions() {
      for (const entry of entries) yield* entry.captions;
    },
    sample: async (index, { random, images = 1, captions = 1 }) => {
      const entry = at(index);
      const path = resolve(imageRoot, entry.image);
      const image = images > 0 ? await decodeEntry(path, idOf(entry), config) : undefined;
      return {
        id: idOf(entry),
        ...(entry.concept === undefined ? {} : { concept: entry.concept }),
        images: image ? Array.from({ length: images }, () => image) : [],
        captions: drawDistinct(entry.captions, captions, random),
        ...(entry.labels === undefined ? {} : { labels: entry.labels }),
      };
    },
    fingerprint: () => fingerprintOf(entries, { ...hashing, root: imageRoot }),
  } satisfies JsonlDataset);
}

/** Independent of where file and pictures are and what the pictures are called: lines in their order. */
async function fingerprintOf(
  entries: readonly JsonlEntry[],
  options: HashFilesOptions,
): Promise<DatasetFingerprint> {
  const pathOf = ({ image }: JsonlEntry): string => resolve(options.root, image);
  const hashes = await hashFiles(entries.map(pathOf), options);
  const records = createRecordHash();
  records.add(["jsonl"]);
  for (const entry of entries) {
    const { captions, concept = null, labels = null } = entry;
    records.add([hashes.get(pathOf(entry)) ?? null, captions, concept, labels]);
  }
  return {
    hash: records.digest(),
    note: `SHA-256 of ${entries.length} lines' captions, concepts and labels and of their pictures' contents`,
  };
}

async function decodeEntry(
  path: string,
  id: string,
  config: JsonlConfig,
): ReturnType<typeof decodeImage> {
  try {
    return await decodeImage(path, { pixelLimit: config.pixelLimit });
  } catch (cause) {
    if (!isDiptychError(cause, "DATA")) throw cause;
    throw new DataError(`${cause.message} (${id})`, { cause });
  }
}

async function readEntries(file: string, shown: string): Promise<readonly JsonlEntry[]> {
  const entries: JsonlEntry[] = [];
  const problems: string[] = [];
  let line = 0;
  for await (const text of readLines(file)) {
    line += 1;
    if (text.trim() === "") continue;
    const parsed = parseLine(text, line);
    if ("entry" in parsed) entries.push(parsed.entry);
    else problems.push(`${shown}:${line}: ${parsed.problem}`);
  }
  if (problems.length > 0) {
    const more = problems.length - MOST_LISTED;
    throw new DataError(
      `data/jsonl: ${file}: expected lines such as {"image": "cat.jpg", "caption": "a cat"}, got ${problems.length} that are wrong:\n${problems.slice(0, MOST_LISTED).join("\n")}${more > 0 ? `\n… and ${more} more` : ""}\nCorrect or remove them.`,
    );
  }
  if (entries.length === 0) {
    throw new DataError(
      `data/jsonl: ${file}: expected at least one line, got an empty file. Write one object on each line: {"image": "cat.jpg", "caption": "a cat"}, with the picture's path relative to the file.`,
    );
  }
  return entries;
}

async function* readLines(file: string): AsyncGenerator<string> {
  try {
    // The decoder removes a byte order mark only when told; JSON.parse refuses one.
    let first = true;
    for await (const line of createInterface({
      input: createReadStream(file),
      crlfDelay: Infinity,
    })) {
      yield first ? line.replace(/^\uFEFF/, "") : line;
      first = false;
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    throw new DataError(
      `data/jsonl: ${file}: expected a readable file, got ${code === "ENOENT" ? "none" : (cause as Error).message}. Relative paths start at the config's folder; check \`path\`.`,
      { cause },
    );
  }
}
