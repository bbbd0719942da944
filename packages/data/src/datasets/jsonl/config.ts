/** Configuration of the JSONL dataset. */
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";
import { DEFAULT_PIXEL_LIMIT } from "../../image/decode-image.js";

export const jsonlSchema = z.strictObject({
  /** The file; relative paths start at the config's folder. */
  path: z.string().min(1),
  /** Where the pictures' relative paths start; default the file's folder. */
  imageRoot: z.string().min(1).optional(),
  /** Most pixels of a picture. */
  pixelLimit: z.int().min(1).default(DEFAULT_PIXEL_LIMIT),
});

export type JsonlConfig = z.output<typeof jsonlSchema>;

/** The JSONL dataset in a configuration: `jsonl({ path: "train.jsonl" })`. */
export const jsonl = partConstructor("jsonl", jsonlSchema);
