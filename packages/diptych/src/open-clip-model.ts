/** The model that an open_clip config describes: its ViTs with CLIP's text transformer. */
import { ConfigError, createMultiEncoder, type MultiEncoder } from "@diptych/core";
import { createModifiedResNet } from "@diptych/encoders-resnet";
import { createVitEncoder } from "@diptych/encoders-vit";
import { createTextEncoder } from "@diptych/text-transformer";
import { z } from "zod";

const size = z.int().min(1);

// Strict: a key that this does not know would change the features silently.
const configSchema = z.strictObject({
  embed_dim: size,
  quick_gelu: z.boolean().default(false),
  vision_cfg: z.strictObject({
    layers: z.union([size, z.tuple([size, size, size, size])]),
    width: size,
    head_width: size.default(64),
    mlp_ratio: z.number().positive().default(4),
    patch_size: size.nullish(),
    image_size: z.union([size, z.tuple([size, size])]).default(224),
  }),
  text_cfg: z.strictObject({
    context_length: size.default(77),
    vocab_size: size.default(49408),
    width: size.default(512),
    heads: size.default(8),
    layers: size.default(12),
    mlp_ratio: z.number().positive().default(4),
  }),
});

/**
 * A model from `model_cfg` of an open_clip_config.json.
 *
 * @throws ConfigError naming what is of another family (ModifiedResNet, timm, Hugging Face towers) or unknown.
 */
export function createOpenClipModel(modelConfig: unknown): MultiEncoder {
  const parsed = configSchema.safeParse(modelConfig);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      path: path.join("."),
      message,
    }));
    throw new ConfigError(
      `diptych/createOpenClipModel: model_cfg: expected a ViT with CLIP's text transformer, got something else:\n${problems.map(({ path, message }) => `  ${path}: ${message}`).join("\n")}\nOther families of open_clip are not supported yet.`,
      problems,
    );
  }
  const { embed_dim: embedDim, quick_gelu, vision_cfg: vision, text_cfg: text } = parsed.data;
  const activation = quick_gelu ? "quickGelu" : "gelu";
  const image =
    typeof vision.layers === "number"
      ? createVitEncoder(
          {
            imageSize: vision.image_size,
            patchSize: vision.patch_size ?? 16,
            width: vision.width,
            layers: vision.layers,
            heads: Math.floor(vision.width / vision.head_width),
            mlpDim: Math.floor(vision.width * vision.mlp_ratio),
            activation,
          },
          { embedDim },
        )
      : createModifiedResNet(
          {
            imageSize: vision.image_size,
            width: vision.width,
            layers: vision.layers,
            heads: Math.floor((32 * vision.width) / vision.head_width),
          },
          { embedDim },
        );
  const textTower = createTextEncoder(
    {
      vocab: text.vocab_size,
      contextLength: text.context_length,
      width: text.width,
      heads: text.heads,
      layers: text.layers,
      mlpDim: Math.floor(text.width * text.mlp_ratio),
      activation,
    },
    { embedDim },
  );
  return createMultiEncoder({ encoders: { image, text: textTower } });
}
