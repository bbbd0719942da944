/** Configuration of the image folder dataset. */
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";
import { DEFAULT_PIXEL_LIMIT } from "../../image/decode-image.js";

export const imageFolderSchema = z.strictObject({
  /** The folder; relative paths start at the config's folder. */
  path: z.string().min(1),
  /** `classes`: a folder for each class. `flat`: the class is the file's name without its number, `red_fox-12.jpg` → "red fox". */
  layout: z.enum(["classes", "flat"]).default("classes"),
  /** Captions; `{class}` stands for the class. */
  templates: z
    .array(z.string().includes("{class}", { message: `expected a text with "{class}" in it` }))
    .min(1)
    .default(["a photo of a {class}"]),
  /** Names of classes by folder, where the folder's own (`_` and `-` as spaces) does not do. */
  classNames: z.record(z.string(), z.string().min(1)).default({}),
  /** Most pixels of a picture. */
  pixelLimit: z.int().min(1).default(DEFAULT_PIXEL_LIMIT),
});

export type ImageFolderConfig = z.output<typeof imageFolderSchema>;

/** The image folder in a configuration: `imageFolder({ path: "photos" })`. */
export const imageFolder = partConstructor("image-folder", imageFolderSchema);
