/** A word tokenizer as JSON, to travel in a checkpoint: everything that fixes its ids. */
import { z } from "zod";

/** Schema of what a word tokenizer's `toJSON` gives. */
export const wordStateSchema = z.strictObject({
  type: z.literal("words"),
  version: z.literal(1),
  contextLength: z.int().min(1),
  truncate: z.enum(["cut", "error"]),
  unknown: z.enum(["nearest", "drop", "hash-buckets"]),
  buckets: z.int().min(1),
  words: z.array(z.string()).min(1),
});

/** What a word tokenizer's `toJSON` gives. */
export type WordTokenizerState = z.infer<typeof wordStateSchema>;
