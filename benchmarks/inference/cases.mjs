// What each side is asked to do, and the inputs for it: the same numbers, captions and files for all.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { cacheFolder } from "diptych";
import { makePictures } from "../images/pictures.mjs";

/** `images` of prepared pixels, `texts` from strings, `files` from pictures on disk: `count` in all, `batch` a call. */
export const cases = {
  "images, batch 1": { kind: "images", batch: 1, count: 4 },
  "images, batch 32": { kind: "images", batch: 32, count: 32 },
  "texts of about 12 tokens": { kind: "texts", batch: 256, count: 256 },
  "files, one a call": { kind: "files", batch: 1, count: 8 },
  "files, 32 a call": { kind: "files", batch: 32, count: 32 },
};

/** Captions such as "a photo of a red apple lying on an old wooden table". */
export function captions(count) {
  const require = createRequire(import.meta.url);
  const emoji = JSON.parse(readFileSync(require.resolve("emojibase-data/en/data.json"), "utf8"));
  const places = ["on an old wooden table", "in the rain at night", "seen from above", "in a park"];
  return Array.from(
    { length: count },
    (_, i) => `a photo of a ${emoji[(i * 37) % emoji.length].label} ${places[i % places.length]}`,
  );
}

/** `count` paths of photographs, JPEGs of 640×480. */
export async function pictureFiles(count) {
  const folder = path.join(cacheFolder(), "bench", "pictures");
  mkdirSync(folder, { recursive: true });
  const files = await makePictures(folder, 640, 480);
  return Array.from({ length: count }, (_, i) => files[i % files.length]);
}

/** Prepared pixels [count, 3, size, size] without pattern. */
export function pixels(count, size) {
  return Float32Array.from(
    { length: count * 3 * size * size },
    (_, i) => ((i * 31) % 257) / 128 - 1,
  );
}
