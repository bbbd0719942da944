/** The emoji set: 1,586 concepts, each drawn by four families, from npm packages, rendered once and cached. */
import { DataError, type Image } from "@diptych/core";
import sharp from "sharp";
import { loadConcepts, type DrawnConcept, type EmojiConcept } from "./concepts.js";
import { EMOJI_FAMILIES, type EmojiFamily } from "./families.js";
import { findEmojiPackages } from "./packages.js";
import {
  cachePlace,
  readCachedPictures,
  writeCachedPictures,
  type CachedPictures,
} from "./picture-cache.js";
import { renderAll, type RenderProgress } from "./render-all.js";
import { renderSettings } from "./render.js";

export interface EmojiSetOptions extends RenderProgress {
  /** Folder of the project that has the npm packages installed. */
  readonly baseDir: string;
  /** Folder for the rendered pictures; may be deleted any time. */
  readonly cacheDir: string;
  /** Side of the pictures in pixels, default 32. */
  readonly imageSize?: number;
  /** Only about this many concepts, spread evenly over the whole set: for tests and tiny runs. */
  readonly limit?: number;
}

export interface EmojiSet {
  readonly concepts: readonly EmojiConcept[];
  readonly imageSize: number;
  /** Seconds spent on rendering; 0 when the cache had all. */
  readonly renderSeconds: number;
  /** The drawing of a concept (by index) by a family: RGBA, straight alpha, sharing the set's memory. */
  picture(family: EmojiFamily, concept: number): Image;
}

/**
 * Loads the set, rendering what the cache does not have.
 *
 * @throws DataError naming the npm packages to install, or the drawing that does not render.
 */
export async function loadEmojiSet(options: EmojiSetOptions): Promise<EmojiSet> {
  const imageSize = options.imageSize ?? 32;
  const settings = renderSettings(imageSize);
  const packages = await findEmojiPackages(options.baseDir);
  const place = cachePlace(options.cacheDir, imageSize, {
    packages: packages.versions,
    settings,
    limit: options.limit,
    renderer: sharp.versions,
  });
  const cached = await readCachedPictures(place);
  if (cached) return emojiSet(cached, imageSize, 0);
  const start = performance.now();
  const drawn = spread(await loadConcepts(packages), options.limit);
  const pixels = await renderAll(packages, drawn, settings, options);
  const pictures = { concepts: Object.freeze(drawn.map(({ concept }) => concept)), pixels };
  await writeCachedPictures(place, pictures);
  return emojiSet(pictures, imageSize, (performance.now() - start) / 1000);
}

function spread(
  drawn: readonly DrawnConcept[],
  limit: number | undefined,
): readonly DrawnConcept[] {
  if (limit === undefined || limit >= drawn.length) return drawn;
  return Array.from(
    { length: limit },
    (_, i) => drawn[Math.floor((i * drawn.length) / limit)] as DrawnConcept,
  );
}

function emojiSet(pictures: CachedPictures, imageSize: number, renderSeconds: number): EmojiSet {
  const { concepts, pixels } = pictures;
  const bytesEach = imageSize ** 2 * 4;
  const picture = (family: EmojiFamily, concept: number): Image => {
    const f = EMOJI_FAMILIES.indexOf(family);
    if (f < 0 || !Number.isInteger(concept) || concept < 0 || concept >= concepts.length) {
      throw new DataError(
        `data/emoji: picture: expected a family of ${EMOJI_FAMILIES.join(", ")} and a concept below ${concepts.length}, got "${family}" and ${concept}. Use the indices of \`concepts\`.`,
      );
    }
    const from = (f * concepts.length + concept) * bytesEach;
    return {
      width: imageSize,
      height: imageSize,
      channels: 4,
      data: pixels.subarray(from, from + bytesEach),
    };
  };
  return Object.freeze({ concepts, imageSize, renderSeconds, picture });
}
