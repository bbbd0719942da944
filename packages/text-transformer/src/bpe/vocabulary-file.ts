/** Where merges come from: CLIP's own file, read once when first needed, or bytes that the caller has. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DataError } from "@diptych/core";
import { parseMerges, type BpeVocabulary } from "./merges.js";

/** sha256 of CLIP's merges file. */
export const clipVocabularySha256 =
  "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a";

let clipVocabulary: BpeVocabulary | undefined;

/** Bytes of CLIP's merges file as this package ships it (see data/README.md for source and licence). */
export function readClipVocabularyFile(): Uint8Array {
  return readFileSync(new URL("../../data/bpe_simple_vocab_16e6.txt.gz", import.meta.url));
}

/** CLIP's vocabulary; read and parsed on the first call (about 0.1 s), the same object afterwards. */
export function loadClipVocabulary(): BpeVocabulary {
  clipVocabulary ??= readVocabulary(readClipVocabularyFile());
  return clipVocabulary;
}

/**
 * Parses the bytes of a merges file, gzipped or plain.
 * @throws DataError if the bytes are neither
 */
export function readVocabulary(bytes: Uint8Array): BpeVocabulary {
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseMerges(new TextDecoder("utf-8").decode(gzipped ? decompress(bytes) : bytes));
}

function decompress(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new DataError(
      `text-transformer/bpe: vocabulary file: expected whole gzip data, got ${String(bytes.length)} bytes that do not decompress. Copy the file again.`,
      { cause },
    );
  }
}
