/** Configuration of retrieval. */
import { z } from "zod";

export const retrievalSchema = z.strictObject({
  /**
   * `clip-benchmark`: right at k where any positive is among the first k, pictures and captions n to m. `open-clip`: one
   * caption a picture, the i-th for the i-th, with mean and median rank, as open_clip's validation.
   */
  protocol: z.enum(["clip-benchmark", "open-clip"]).default("clip-benchmark"),
  recallK: z.array(z.int().min(1)).min(1).default([1, 5, 10]),
  /** Positives are captions of the same `sample`, or of any sample of the same `concept` (a sample without one is its own). */
  positives: z.enum(["concept", "sample"]).default("concept"),
  imagesPerSample: z.int().min(1).default(1),
  /** `all`: whatever the sample has. */
  captionsPerSample: z.int().min(1).or(z.literal("all")).default(1),
  /** Misses to show, those furthest off first, each way; a third as many other queries. */
  examples: z.int().min(0).default(6),
});
export type RetrievalConfig = z.output<typeof retrievalSchema>;
