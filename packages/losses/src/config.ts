/** Configurations of the losses: strict schemas with their defaults, and the constructors for config files. */
import { partConstructor, type Part } from "@diptych/core/plugin";
import { z } from "zod";

const modality = z.string().min(1);
const between = z
  .tuple([modality, modality])
  .refine(([rows, columns]) => rows !== columns, { message: "expected two different modalities" })
  .default(["image", "text"]);

/** What pairs of different samples of one concept are. */
const duplicates = z.enum(["positives", "masked", "negatives"]).default("positives");
/** Another loss, resolved with its own schema. */
const part = z.looseObject({ type: z.string().min(1) }).transform((value): Part => value);

export const infoNceSchema = z.strictObject({
  between,
  duplicates,
  /** Share of each target that is spread over the whole softmax. */
  labelSmoothing: z.number().min(0).lt(1).default(0),
  /** One more outcome a softmax, for rows without positives; the model needs `logitBias`. */
  noneOfThese: z.boolean().default(false),
  /** Several positives of a row share one softmax, or each compete with the negatives alone. */
  positives: z.enum(["together", "apart"]).default("together"),
});
export const sigmoidSchema = z.strictObject({
  between,
  duplicates,
  /** Most rows whose pairs are in memory at once; by default all. */
  chunkSize: z.int().min(1).optional(),
});
export const hardNegativesSchema = z.strictObject({
  between,
  duplicates,
  /** How much more hard negatives count; 0: all alike. */
  beta: z.number().min(0).default(0.25),
  /** Chance that a negative is a positive in truth. */
  tauPlus: z.number().min(0).lt(1).default(0),
  /** Weight of the positive among what it is compared with. */
  alpha: z.number().min(1e-6).max(1).default(1),
});
export const supervisedContrastiveSchema = z.strictObject({
  modality: modality.default("image"),
  temperature: z.number().min(1e-4).default(0.1),
});
export const weightedSumSchema = z.strictObject({
  terms: z
    .array(
      z.strictObject({
        loss: part,
        weight: z.number().default(1),
        name: z.string().min(1).optional(),
      }),
    )
    .min(1),
});

export const matryoshkaSchema = z
  .strictObject({
    /** Computed on each prefix. */
    loss: part,
    /** Lengths of the prefixes, growing; by default embedDim halved as long as it is even, down to 8. */
    dims: z
      .array(z.int().min(1))
      .min(1)
      .refine((dims) => dims.every((dim, i) => i === 0 || dim > dims[i - 1]!), {
        message: "expected each dim to be larger than the one before",
      })
      .optional(),
    /** One a dim; 1 by default. */
    weights: z.array(z.number()).min(1).optional(),
  })
  .refine(({ dims, weights }) => !weights || dims !== undefined, {
    path: ["dims"],
    message: "expected dims where weights are given, so that it is said which is whose",
  })
  .refine(({ dims, weights }) => !weights || !dims || weights.length === dims.length, {
    path: ["weights"],
    message: "expected one weight for each dim",
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

/** InfoNCE that weighs hard negatives more in a configuration. */
export const hardNegatives = partConstructor("hard-negatives", hardNegativesSchema);

/** A loss on prefixes of the features in a configuration: `matryoshka({ loss: infoNce(), dims: [64, 128, 256] })`. */
export const matryoshka = (
  options: z.input<typeof matryoshkaSchema>,
): z.input<typeof matryoshkaSchema> & { readonly type: "matryoshka" } => ({
  type: "matryoshka",
  ...options,
});

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
 * Learning from a trained model in a configuration, usually beside the pairs themselves.
 *
 * @example
 * export default defineConfig({
 *   model: { embedDim: 256, encoders: { image: vit({ width: 192 }), text: textTransformer({ width: 192 }) } },
 *   data: { train: jsonl({ path: "pairs.jsonl" }) },
 *   loss: weightedSum({
 *     terms: [
 *       { loss: infoNce() },
 *       // A folder of a finished run, from this file's folder on; or a name, e.g. "openai/clip-vit-base-patch32".
 *       { loss: distillation({ teacher: "runs/large/model" }) },
 *     ],
 *   }),
 * });
 */
export const distillation = partConstructor("distillation", distillationSchema);
