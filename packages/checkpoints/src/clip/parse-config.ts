/** Checks `model_cfg` and `preprocess_cfg` from files as far as this package reads them; keys of other families pass through. */
import { CheckpointError } from "@diptych/core";
import { z } from "zod";
import type { OpenClipModelConfig, OpenClipPreprocessConfig } from "./open-clip-config.js";

const size = z.int().min(1).max(1_000_000);
const picture = z.union([size, z.tuple([size, size])]);
const ratio = z.number().positive().max(1000);

const modelSchema = z.looseObject({
  embed_dim: size,
  quick_gelu: z.boolean().optional(),
  custom_text: z.boolean().optional(),
  vision_cfg: z.looseObject({
    layers: z.union([size, z.array(size).length(4)]).optional(),
    width: size.optional(),
    patch_size: size.nullish(),
    image_size: picture.optional(),
    head_width: size.optional(),
    mlp_ratio: ratio.optional(),
  }),
  text_cfg: z.looseObject({
    context_length: size.optional(),
    vocab_size: size.optional(),
    width: size.optional(),
    heads: size.optional(),
    layers: size.optional(),
    mlp_ratio: ratio.optional(),
  }),
});

const triple = z.tuple([z.number(), z.number(), z.number()]);
const preprocessSchema = z.looseObject({
  mean: triple.optional(),
  std: triple.optional(),
  interpolation: z.string().optional(),
  resize_mode: z.string().optional(),
  size: z.unknown().optional(),
});

function parse(path: string, key: string, schema: z.ZodType, json: unknown): unknown {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new CheckpointError(
    `checkpoints/read: ${key} of ${path}: expected open_clip's keys, got ${problems.slice(0, 8).join("; ")}. The configuration is damaged or of another kind.`,
  );
}

/** @throws CheckpointError where it is no model_cfg. */
export function parseModelConfig(path: string, json: unknown): OpenClipModelConfig {
  return parse(path, "model_cfg", modelSchema, json) as OpenClipModelConfig;
}

/** @throws CheckpointError where it is no preprocess_cfg. */
export function parsePreprocessConfig(path: string, json: unknown): OpenClipPreprocessConfig {
  return parse(path, "preprocess_cfg", preprocessSchema, json) as OpenClipPreprocessConfig;
}
