/** Configurations of the losses: strict schemas with their defaults, and the constructors for config files. */
import { partConstructor, type Part } from "@diptych/core/plugin";
import { z } from "zod";

const modality = z.string().min(1);
const between = z
  .tuple([modality, modality])
  .refine(([rows, columns]) => rows !== columns, { message: "expected two different modalities" })
  .default(["image", "text"]);

export const infoNceSchema = z.strictObject({
  between,
  /** Several positives of a row share one softmax, or each compete with the negatives alone. */
  positives: z.enum(["together", "apart"]).default("together"),
});
export const sigmoidSchema = z.strictObject({ between });
export const supervisedContrastiveSchema = z.strictObject({
  modality: modality.default("image"),
  temperature: z.number().min(1e-4).default(0.1),
});
export const weightedSumSchema = z.strictObject({
  terms: z
    .array(
      z.strictObject({
        loss: z.looseObject({ type: z.string().min(1) }).transform((part): Part => part),
        weight: z.number().default(1),
        name: z.string().min(1).optional(),
      }),
    )
    .min(1),
});

export const distillationSchema = z
  .strictObject({
    /** Path (relative ones start at the config's folder) or name of the model to learn from. */
    teacher: z.string().min(1),
    /** Its softmax over the batch, or its features. */
    match: z.enum(["similarities", "features"]).default("similarities"),
    modalities: z
      .array(modality)
      .min(1)
      .refine((names) => new Set(names).size === names.length, {
        message: "expected each modality once",
      })
      .default(["image", "text"]),
    /** Width of the teacher's features; to match features the model's own by default. */
    teacherDim: z.int().min(1).optional(),
  })
  .refine(({ match, modalities }) => match === "features" || modalities.length === 2, {
    path: ["modalities"],
    message: `expected two modalities for match: "similarities"`,
  });

/** CLIP's loss in a configuration. */
export const infoNce = partConstructor("info-nce", infoNceSchema);

/** SigLIP's loss in a configuration; the model needs `logitBias`. */
export const sigmoidLoss = partConstructor("sigmoid", sigmoidSchema);

/** The supervised contrastive loss in a configuration. */
export const supervisedContrastive = partConstructor(
  "supervised-contrastive",
  supervisedContrastiveSchema,
);

/** A weighted sum in a configuration: `weightedSum({ terms: [{ loss: infoNce() }, { loss: …, weight: 0.5 }] })`. */
export const weightedSum = (
  options: z.input<typeof weightedSumSchema>,
): z.input<typeof weightedSumSchema> & { readonly type: "weighted-sum" } => ({
  type: "weighted-sum",
  ...options,
});

/**
 * Learning from a trained model, usually beside the contrastive loss:
 * `weightedSum({ terms: [{ loss: infoNce() }, { loss: distillation({ teacher: "runs/large/model" }) }] })`.
 */
export const distillation = partConstructor("distillation", distillationSchema);
