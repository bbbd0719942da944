/** What this package provides: datasets and transforms. */
import { dataset, definePlugin, transform } from "@diptych/core/plugin";
import { emojiSchema } from "./datasets/emoji/config.js";
import { loadEmojiDataset } from "./datasets/emoji/emoji-dataset.js";
import { imageFolderSchema } from "./datasets/image-folder/config.js";
import { loadImageFolder } from "./datasets/image-folder/image-folder-dataset.js";
import { jsonlSchema } from "./datasets/jsonl/config.js";
import { loadJsonl } from "./datasets/jsonl/jsonl-dataset.js";
import { createResizeTransform, resizeSchema } from "./image/resize-transform.js";
import { createAugmentTransform } from "./transforms/augment.js";
import { augmentSchema } from "./transforms/config.js";

export const dataPlugin = definePlugin({
  name: "@diptych/data",
  contract: 1,
  provides: [
    dataset("emoji", {
      summary: "1,586 emoji by four drawing families, from npm packages",
      schema: emojiSchema,
      create: (config, dependencies) => loadEmojiDataset(config, dependencies),
    }),
    dataset("image-folder", {
      summary: "a folder of pictures, by class",
      schema: imageFolderSchema,
      create: (config, dependencies) => loadImageFolder(config, dependencies.baseDir, dependencies),
    }),
    dataset("jsonl", {
      summary: "a JSONL file of picture paths and captions",
      schema: jsonlSchema,
      create: (config, dependencies) => loadJsonl(config, dependencies.baseDir, dependencies),
    }),
    transform("augment", {
      summary: "mild augmentation of small pictures",
      schema: augmentSchema,
      create: createAugmentTransform,
    }),
    transform("resize", {
      summary: "bicubic resize to the model's size, nothing random",
      schema: resizeSchema,
      create: createResizeTransform,
    }),
  ],
});
