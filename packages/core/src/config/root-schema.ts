/** The shell of a configuration: everything but the inside of the `{ type, … }` parts, which their own plugins check. */
import { z } from "zod";
import type { Part, Plugin } from "../plugin/define-plugin.js";
import { isPlugin } from "../plugin/define-plugin.js";
import { TRAINING_PRECISIONS } from "../contracts/training-precision.js";
import { parseDuration } from "./durations.js";

/** A part: `type` and whatever its plugin's schema says. */
const part = z.looseObject({ type: z.string().min(1) }).transform((value): Part => value);

const positiveInteger = z.int().min(1);

const duration = z.union([z.number().positive(), z.string()]).transform((value, context) => {
  const seconds = typeof value === "number" ? value : parseDuration(value);
  if (seconds !== undefined && seconds > 0) return seconds;
  context.addIssue({
    code: "custom",
    message: `expected a duration such as "300s", "5m" or "1.5h", got "${value}"`,
  });
  return z.NEVER;
});

const channels = z.tuple([z.number(), z.number(), z.number()]);

/** CLIP's normalisation (clip-numerics §9). */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;

export const modelSchema = z.strictObject({
  /** Width of the joint space. */
  embedDim: positiveInteger.default(512),
  /** Encoders by modality. */
  encoders: z.record(z.string(), part).refine((encoders) => Object.keys(encoders).length >= 1, {
    message: "expected at least one encoder, e.g. { image: vit(), text: textTransformer() }",
  }),
  /** Similarity scale: exp(log scale), learned, starting at `initial`, kept in [1, max] (CLIP §2.5: at most 100). */
  logitScale: z
    .strictObject({
      initial: z
        .number()
        .positive()
        .default(1 / 0.07),
      /** null: no upper bound (SigLIP). */
      max: z.number().positive().nullable().default(100),
    })
    // The update would clamp it after the first step, unnoticed.
    .refine(({ initial, max }) => max === null || (initial >= 1 && initial <= max), {
      path: ["initial"],
      message: "expected a start between 1 and max, or max: null for no bounds",
    })
    .prefault({}),
  /** Start of a learned bias of the similarities (SigLIP: −10); without it the model has none. */
  logitBias: z.number().optional(),
});

export const dataSchema = z.strictObject({
  train: part,
  /** Augmentation of training pictures. */
  transform: part.optional(),
  /** Pictures and captions of one sample in a batch. */
  imagesPerSample: positiveInteger.default(1),
  captionsPerSample: positiveInteger.default(1),
  /** Further samples a batch that give captions without pictures: negatives for a text tower that costs little. */
  extraCaptions: z.int().min(0).default(0),
  mean: channels.default([...CLIP_MEAN]),
  std: channels.default([...CLIP_STD]),
  onBadSample: z.enum(["throw", "skip"]).default("throw"),
  /** Batches prepared ahead. */
  prefetch: positiveInteger.default(3),
});

export const trainingSchema = z
  .strictObject({
    /** Samples in a batch (each with `imagesPerSample` pictures). */
    batchSize: positiveInteger.default(64),
    /** How long: exactly one of steps, epochs, duration. A duration is turned into steps by timing the first ones. */
    steps: positiveInteger.optional(),
    epochs: z.number().positive().optional(),
    duration: duration.optional(),
    /** Global L2 norm that gradients are clipped to; null: not at all. */
    clipNorm: z.number().positive().nullable().default(1),
    /** Decay of a moving average of the weights, used for evaluation; null: none. */
    ema: z.number().min(0).max(0.999999).nullable().default(null),
    checkpointEvery: z.union([positiveInteger, z.null()]).default(500),
    /** Checkpoints kept, the newest first. */
    keepLast: positiveInteger.default(2),
    logEvery: positiveInteger.default(10),
    /** Recomputes cheap activations in the backward pass to save memory. */
    rematerialise: z.boolean().default(false),
    /** `mixed-bf16`, `mixed-fp16`: products in 16 bits, weights and losses in float32; float16 with a dynamic loss scale. */
    precision: z.enum(TRAINING_PRECISIONS).default("fp32"),
  })
  .refine((t) => [t.steps, t.epochs, t.duration].filter((x) => x !== undefined).length <= 1, {
    message:
      "expected one of steps, epochs, duration, got several. Leave the others out, or unset them (--set training.duration=undefined)",
  });

const evaluatorEntry = z.strictObject({
  name: z.string().min(1).optional(),
  evaluator: part,
  dataset: part,
  /** Samples to learn from, for evaluators that do: linear probe, few shots, nearest neighbours. */
  trainDataset: part.optional(),
});

const pluginEntry = z.union([
  z.string().min(1),
  z.custom<Plugin>(isPlugin, {
    message: "expected a plugin (the result of definePlugin) or a module name",
  }),
]);

export const rootSchema = z.strictObject({
  name: z.string().min(1).default("diptych"),
  /** Plugins beside the default ones: imported values, or module names. */
  plugins: z.array(pluginEntry).default([]),
  seed: z.int().min(0).default(0),
  backend: part.default({ type: "onnx" }),
  model: modelSchema,
  tokenizer: part.default({ type: "bpe" }),
  data: dataSchema,
  loss: part.default({ type: "info-nce" }),
  optimizer: part.default({ type: "adamw" }),
  schedule: part.default({ type: "cosine" }),
  training: trainingSchema.prefault({}),
  evaluators: z.array(evaluatorEntry).default([]),
  /** What `--tiny` changes: a partial configuration laid over this one, for a run of seconds. */
  tiny: z.record(z.string(), z.unknown()).default({}),
});

/** What a config file holds. */
export type ConfigInput = z.input<typeof rootSchema>;
/** The shell with its defaults; parts not yet resolved. */
export type ConfigShell = z.output<typeof rootSchema>;

/** Types a configuration in an editor; returns it as it is. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
