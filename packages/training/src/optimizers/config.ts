/** Schemas of the optimizers. The learning rate belongs to the schedule. */
import { z } from "zod";

const groups = z
  .array(
    z.strictObject({
      /** Glob over state-dict names, e.g. `visual.*`. */
      pattern: z.string().min(1),
      /** Multiplies the learning rate; 0 freezes. */
      learningRateScale: z.number().min(0).default(1),
      /** Default: the optimizer's own. Parameters that the decay rule exempts stay exempt. */
      weightDecay: z.number().min(0).optional(),
    }),
  )
  .default([]);

/** Which parameters decay: as their builders declare, or by open_clip's rule for its released models. */
const decayRule = z.enum(["declared", "legacy"]).default("declared");

/** Defaults: open_clip's for ViTs (β, ε: open_clip_train/params.py) and the CLIP paper's weight decay. */
export const adamwSchema = z.strictObject({
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.98]),
  epsilon: z.number().positive().default(1e-6),
  weightDecay: z.number().min(0).default(0.2),
  decayRule,
  groups,
});

export const sgdSchema = z
  .strictObject({
    momentum: z.number().min(0).lt(1).default(0.9),
    nesterov: z.boolean().default(false),
    weightDecay: z.number().min(0).default(0),
    decayRule,
    groups,
  })
  .refine(({ momentum, nesterov }) => !nesterov || momentum > 0, {
    message: "expected a momentum above 0 with nesterov, got 0",
    path: ["momentum"],
  });

export type AdamwConfig = z.output<typeof adamwSchema>;
export type SgdConfig = z.output<typeof sgdSchema>;
