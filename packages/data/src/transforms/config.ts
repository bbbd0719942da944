/** Strengths of the augmentation. The defaults are the mild ones that the emoji recipe was measured with; strong ones halved its score. */
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";

const share = z.number().min(0).max(1);

export const augmentSchema = z.strictObject({
  /** Size factor: uniform in 1 ± this. */
  scale: z.number().min(0).max(0.9).default(0.12),
  /** Shift in each direction: uniform in ± this share of the side. */
  shift: z.number().min(0).max(1).default(0.06),
  /** Ratio of width to height: uniform in 1 ± this. */
  aspect: z.number().min(0).max(0.9).default(0.08),
  /** Standard deviation of the rotation, in degrees. */
  rotation: z.number().min(0).max(180).default(3),
  /** Standard deviation of the hue's rotation, in turns. */
  hue: z.number().min(0).max(0.5).default(0.03),
  /** Share of pictures whose colour channels change places. */
  permute: share.default(0.1),
  /** Share of pictures turned grey. */
  grey: share.default(0.03),
  /** Share of pictures with a rectangle covered. */
  erase: share.default(0.1),
  /** Share of pictures with transparency that get a dark outline. */
  outline: share.default(0.1),
  /** Share of pictures blurred or sharpened, evenly. */
  filter: share.default(0.15),
  /** Share of pictures with transparency drawn on a light colour in place of white. */
  tint: share.default(0.1),
});

export type AugmentConfig = z.output<typeof augmentSchema>;

/** The augmentation in a configuration: `augment({ erase: 0 })`. */
export const augment = partConstructor("augment", augmentSchema);
