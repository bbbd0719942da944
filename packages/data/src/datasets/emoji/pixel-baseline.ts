/** The pixel baseline on the emoji set: the same queries as the model's, searched among training pictures only. */
import { createEmojiDataset, type EmojiDataset } from "./emoji-dataset.js";
import { emojiSchema, type EmojiConfig } from "./config.js";
import type { EmojiSet } from "./emoji-set.js";
import {
  pixelNearestNeighbour,
  type LabelledImage,
  type NeighbourResult,
} from "./pixel-neighbour.js";

/**
 * Names the test family's pictures of the trained concepts by their nearest training picture.
 *
 * @param config What the model was trained on; `part` does not matter.
 */
export function emojiPixelBaseline(
  set: EmojiSet,
  config: EmojiConfig = emojiSchema.parse({}),
  signal?: AbortSignal,
): Promise<NeighbourResult> {
  const train = createEmojiDataset(set, { ...config, part: "train" });
  const test = createEmojiDataset(set, { ...config, part: "heldOutStyle" });
  return pixelNearestNeighbour(pictures(test), pictures(train), signal);
}

function pictures(dataset: EmojiDataset): LabelledImage[] {
  return dataset.families.flatMap((family) =>
    dataset.conceptIndices.map((label) => ({ image: dataset.set.picture(family, label), label })),
  );
}
