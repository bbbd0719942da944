/** Configuration of the emoji dataset. */
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";
import { EMOJI_FAMILIES, TRAINING_FAMILIES } from "./families.js";

const family = z.enum(EMOJI_FAMILIES);
const share = z.number().min(0).max(1);

export const emojiSchema = z
  .strictObject({
    /**
     * Which concepts are held out. `final`: 15 % of the roots. `tune`: a further 5 %, while the 15 % stay unseen.
     * `style`: none, only the test family's style.
     */
    split: z.enum(["final", "tune", "style"]).default("final"),
    /**
     * `train`: the training families' pictures of the trained concepts. `heldOutStyle`: the test family's pictures of
     * the trained concepts. `heldOutConcepts`: the test family's pictures of the concepts held out.
     */
    part: z.enum(["train", "heldOutStyle", "heldOutConcepts"]).default("train"),
    /** Families whose pictures are trained on. */
    families: z
      .array(family)
      .min(1)
      .default([...TRAINING_FAMILIES]),
    /**
     * Family that is tested on. Default: fluent; for `tune`, which must not look at Fluent, the training families'
     * own drawings of the concepts held out.
     */
    testFamily: family.optional(),
    /** Side of the pictures in pixels. */
    imageSize: z.int().min(8).max(256).default(32),
    /** Share of training pictures that are a mean of two families' drawings. */
    mix: share.default(0.3),
    /** Shares of training captions: the name alone, templated; the rest is 1 to maxTags tags around the name. */
    captions: z
      .strictObject({
        name: share.default(0.5),
        templated: share.default(0.2),
        maxTags: z.int().min(1).default(3),
      })
      .refine((mix) => mix.name + mix.templated <= 1, {
        message: "expected name + templated of at most 1",
      })
      .prefault({}),
    /** Only about this many concepts, for tests and tiny runs. */
    limit: z.int().min(2).optional(),
  })
  .superRefine((config, context) => {
    const testFamily = config.testFamily ?? (config.split === "tune" ? undefined : "fluent");
    if (testFamily !== undefined && config.families.includes(testFamily)) {
      context.addIssue({
        code: "custom",
        path: ["testFamily"],
        message: `expected a family that is not trained on, got "${testFamily}", which is one of families`,
      });
    }
    if (config.part === "heldOutStyle" && testFamily === undefined) {
      context.addIssue({
        code: "custom",
        path: ["testFamily"],
        message: `expected a family for heldOutStyle of the tuning split, e.g. families: ["noto", "openmoji"] with testFamily: "twemoji"`,
      });
    }
    if (config.part === "heldOutConcepts" && config.split === "style") {
      context.addIssue({
        code: "custom",
        path: ["part"],
        message: `expected split "final" or "tune" for heldOutConcepts, got "style", which holds no concept out`,
      });
    }
  });

export type EmojiConfig = z.output<typeof emojiSchema>;

/** The emoji dataset in a configuration: `emoji({ part: "heldOutStyle" })`. */
export const emoji = partConstructor("emoji", emojiSchema);
