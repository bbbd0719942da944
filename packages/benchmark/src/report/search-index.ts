/** What the search box in a page knows: embeddings as bytes with a scale a row, thumbnails, and the phrases it may be asked. */
import { DataError, type HostTensor, type Image } from "@diptych/core";
import { encodeThumbnail } from "diptych";

/** Pictures and phrases with their embeddings, by one model. */
export interface ReportSearch {
  /** Whose embeddings they are, e.g. `InfoNCE, seed 0`. */
  readonly label: string;
  readonly pictures: readonly { readonly name: string; readonly image: Image }[];
  /** One row a picture, [pictures, embedDim]. */
  readonly imageEmbeddings: HostTensor<"float32">;
  readonly phrases: readonly string[];
  /** One row a phrase, [phrases, embedDim]. */
  readonly textEmbeddings: HostTensor<"float32">;
  /**
   * `mean`: the model's text tower is a bag of words, so that the mean of words comes near to what it says of them
   * together. `listed`: only the phrases themselves are what the model says.
   */
  readonly words: "mean" | "listed";
}

/** Rows in 8 bits: value = byte · scale of its row. Base64, little endian. */
export interface QuantisedRows {
  readonly dims: number;
  readonly rows: string;
  /** float32 a row. */
  readonly scales: string;
}

/** As JSON in the page, read by `page/search.js`. */
export interface SearchIndex {
  readonly words: "mean" | "listed";
  readonly phrases: readonly string[];
  readonly texts: QuantisedRows;
  readonly images: QuantisedRows;
  readonly pictures: readonly { readonly name: string; readonly source: string }[];
}

export interface SearchIndexResult {
  readonly index: SearchIndex;
  /** Pictures and phrases that there was no room for. */
  readonly left: { readonly pictures: number; readonly phrases: number };
}

/** Half of it at most is phrases. @param bytes What the index may take in the page, about. */
export async function buildSearchIndex(
  search: ReportSearch,
  { bytes }: { readonly bytes: number },
): Promise<SearchIndexResult> {
  const dims = checkSearch(search);
  const perPhrase = (4 * dims) / 3 + 6 + 20;
  const phrases = Math.min(search.phrases.length, Math.max(1, Math.floor(bytes / 2 / perPhrase)));
  const room = bytes - phrases * perPhrase;
  const pictures = Math.max(1, Math.floor(room / ((4 * dims) / 3 + THUMBNAIL_BYTES)));
  const chosen = evenly(search.pictures.length, pictures);
  const shown: { name: string; source: string }[] = [];
  for (const at of chosen) {
    const { name, image } = search.pictures[at]!;
    const webp = await encodeThumbnail(image, { size: 48, quality: 70 });
    shown.push({ name, source: Buffer.from(webp).toString("base64") });
  }
  const texts = [...Array(phrases).keys()];
  const index: SearchIndex = {
    words: search.words,
    phrases: search.phrases.slice(0, phrases),
    texts: quantiseRows(search.textEmbeddings, texts),
    images: quantiseRows(search.imageEmbeddings, chosen),
    pictures: shown,
  };
  return {
    index,
    left: {
      pictures: search.pictures.length - chosen.length,
      phrases: search.phrases.length - phrases,
    },
  };
}

/** A 48-pixel drawing as base64 of WebP, with its name, about. */
const THUMBNAIL_BYTES = 1400;

/** Indices spread over all, so that what is left out is of every kind. */
function evenly(count: number, most: number): readonly number[] {
  const kept = Math.min(count, most);
  return Array.from({ length: kept }, (_, i) => Math.floor((i * count) / kept));
}

function checkSearch({ pictures, phrases, imageEmbeddings, textEmbeddings }: ReportSearch): number {
  const dims = imageEmbeddings.shape[1] ?? 0;
  const wanted = [
    ["imageEmbeddings", imageEmbeddings, pictures.length],
    ["textEmbeddings", textEmbeddings, phrases.length],
  ] as const;
  for (const [name, tensor, rows] of wanted) {
    if (
      tensor.shape.length !== 2 ||
      tensor.shape[0] !== rows ||
      tensor.shape[1] !== dims ||
      rows === 0
    ) {
      throw new DataError(
        `benchmark/writeReport: search.${name}: expected [${Math.max(1, rows)}, ${dims}], a row for each of what it embeds, got [${tensor.shape.join(", ")}]. Give one embedding for each picture and phrase.`,
      );
    }
  }
  return dims;
}

/** Rows `chosen`, each scaled to length 1 and then to ±127. */
export function quantiseRows(
  { data, shape }: HostTensor<"float32">,
  chosen: readonly number[],
): QuantisedRows {
  const dims = shape[1] ?? 0;
  const bytes = new Int8Array(chosen.length * dims);
  const scales = new DataView(new ArrayBuffer(chosen.length * 4));
  chosen.forEach((row, i) => {
    const values = data.subarray(row * dims, (row + 1) * dims);
    const length = Math.hypot(...values) || 1;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    values.forEach((value, d) => (bytes[i * dims + d] = Math.round((127 * value) / largest)));
    scales.setFloat32(4 * i, largest / length / 127, true);
  });
  return {
    dims,
    rows: Buffer.from(bytes.buffer).toString("base64"),
    scales: Buffer.from(scales.buffer).toString("base64"),
  };
}
