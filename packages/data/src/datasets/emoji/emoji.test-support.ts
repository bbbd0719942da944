/** A small emoji set in memory, so that tests of splits and sampling need neither packages nor a renderer. */
import type { EmojiConcept } from "./concepts.js";
import type { EmojiSet } from "./emoji-set.js";
import { EMOJI_FAMILIES } from "./families.js";

/** `count` concepts with buckets 0, 5, 10, … modulo 100; a picture's red is its concept, its green its family. */
export function tinyEmojiSet(count = 40, imageSize = 4): EmojiSet {
  const concepts = Array.from({ length: count }, (_, i): EmojiConcept => ({
    name: `thing ${i}`,
    emoji: "x",
    hexcode: String(i),
    group: "objects",
    subgroup: i % 2 ? "tool" : "food-fruit",
    tags: i === 0 ? [] : ["red", `tag ${i}`, "round", "sweet"],
    root: `thing ${i}`,
    bucket: (i * 5) % 100,
  }));
  return {
    concepts,
    imageSize,
    renderSeconds: 0,
    picture: (family, concept) => ({
      width: imageSize,
      height: imageSize,
      channels: 4,
      data: Uint8Array.from(
        { length: imageSize ** 2 * 4 },
        (_, i) => [concept, EMOJI_FAMILIES.indexOf(family) * 60, 0, 255][i % 4] ?? 0,
      ),
    }),
  };
}
