/** open_clip's `model_cfg` from what shapes reveal, and a given one checked against them. */
import { CheckpointError } from "@diptych/core";
import {
  mlpDimOf,
  mlpRatioOf,
  TEXT_DEFAULTS,
  VISION_DEFAULTS,
  type OpenClipModelConfig,
  type OpenClipTextConfig,
  type OpenClipVisionConfig,
} from "./open-clip-config.js";
import type { ClipFacts, ResNetFacts, TextFacts, VitFacts } from "./shape-facts.js";

/** Published ViTs whose heads are not 64 wide, by width: [blocks, head width] (open_clip's ViT-H-14, ViT-g-14, ViT-bigG-14). */
const HEAD_WIDTHS: Readonly<Record<number, readonly [layers: number, headWidth: number]>> = {
  1280: [32, 80],
  1408: [40, 88],
  1664: [48, 104],
};
/** A ModifiedResNet reduces pictures by this. */
const RESNET_STRIDE = 32;

export interface InferredConfig {
  readonly modelConfig: OpenClipModelConfig;
  /** What shapes do not say and was taken as usual, in words. */
  readonly assumed: readonly string[];
}

/** What is known of the activation: OpenAI's archives reveal theirs; else it is the default of who wrote the names. */
export type ActivationSource = "quick-gelu" | "open-clip-default" | "transformers-default";

/**
 * Infers a configuration, as OpenAI's loader does: heads are 64 wide.
 *
 * @throws CheckpointError where shapes do not reveal the architecture.
 */
export function inferModelConfig(
  path: string,
  facts: ClipFacts,
  activation: ActivationSource,
): InferredConfig {
  const refuse = (what: string): CheckpointError =>
    new CheckpointError(
      `checkpoints/inferModelConfig: ${path}: expected tensors whose shapes tell the architecture, got ${what}. Give its model_cfg, as open_clip_config.json has it.`,
    );
  const { vision, text, embedDim, customText, hasLogitBias, others } = facts;
  if (others.length > 0) {
    throw refuse(`${others.length} that no plain CLIP has (${others.slice(0, 4).join(", ")})`);
  }
  const side = Math.round(Math.sqrt(vision.patches));
  if (side < 1 || side ** 2 !== vision.patches)
    throw refuse(`${vision.patches} patches, no square`);
  const headWidth = visionHeadWidth(vision);
  const visionHeads = vision.kind === "vit" ? vision.width : vision.width * RESNET_STRIDE;
  for (const [tower, width, wide] of [
    ["image", visionHeads, headWidth],
    ["text", text.width, 64],
  ] as const) {
    if (width % wide !== 0)
      throw refuse(`a width of ${width} in the ${tower} tower, no multiple of ${wide}`);
  }
  const modelConfig = Object.freeze({
    embed_dim: embedDim,
    quick_gelu: activation !== "open-clip-default",
    ...(customText ? { custom_text: true } : {}),
    ...(hasLogitBias ? { init_logit_bias: -10 } : {}),
    vision_cfg: visionConfig(vision, side, headWidth),
    text_cfg: textConfig(text),
  });
  const assumed = [
    `heads are ${headWidth} wide in the image tower and 64 in the text tower`,
    ...(ASSUMED_ACTIVATION[activation] ?? []),
  ];
  // OpenAI's own loader infers as much of its archives.
  const isCertain = activation === "quick-gelu";
  return Object.freeze({ modelConfig, assumed: Object.freeze(isCertain ? [] : assumed) });
}

const ASSUMED_ACTIVATION: Readonly<Partial<Record<ActivationSource, readonly string[]>>> = {
  "open-clip-default": [
    "the activation is GELU, open_clip's default: the file does not say, and weights that came from OpenAI's need QuickGELU",
  ],
  "transformers-default": [
    "the activation is QuickGELU, transformers' default: without its config.json the file does not say",
  ],
};

function visionHeadWidth(vision: VitFacts | ResNetFacts): number {
  const [layers, headWidth] = HEAD_WIDTHS[vision.width] ?? [];
  return vision.kind === "vit" && vision.layers === layers && headWidth
    ? headWidth
    : VISION_DEFAULTS.head_width;
}

function visionConfig(
  vision: VitFacts | ResNetFacts,
  side: number,
  headWidth: number,
): OpenClipVisionConfig {
  const { width } = vision;
  if (vision.kind === "resnet") {
    return { image_size: side * RESNET_STRIDE, layers: vision.stages, width, patch_size: null };
  }
  const { layers, patchSize, mlpDim } = vision;
  return {
    image_size: side * patchSize,
    layers,
    width,
    patch_size: patchSize,
    ...(headWidth === VISION_DEFAULTS.head_width ? {} : { head_width: headWidth }),
    ...mlpRatio(width, mlpDim),
  };
}

function mlpRatio(width: number, mlpDim: number): { mlp_ratio?: number } {
  const ratio = mlpRatioOf(width, mlpDim);
  return ratio === VISION_DEFAULTS.mlp_ratio ? {} : { mlp_ratio: ratio };
}

function textConfig({
  contextLength,
  vocab,
  width,
  layers,
  mlpDim,
}: TextFacts): OpenClipTextConfig {
  return {
    context_length: contextLength,
    vocab_size: vocab,
    width,
    heads: width / 64,
    layers,
    ...mlpRatio(width, mlpDim),
  };
}

/** @throws CheckpointError listing where a configuration says other than the shapes of the tensors. */
export function checkModelConfig(
  path: string,
  config: OpenClipModelConfig,
  facts: ClipFacts,
): void {
  const problems = [
    ...differences("", [["embed_dim", config.embed_dim, facts.embedDim]]),
    ...differences("vision_cfg.", visionPairs(config.vision_cfg, facts.vision)),
    ...differences("text_cfg.", textPairs(config.text_cfg, facts.text)),
  ];
  if (problems.length === 0) return;
  throw new CheckpointError(
    `checkpoints/checkModelConfig: ${path}: expected tensors of the model that its configuration describes, got others:\n${problems.map((line) => `  ${line}`).join("\n")}\nThe configuration and the weights belong to different models.`,
  );
}

type Pair = readonly [key: string, configured: unknown, found: unknown];

function differences(prefix: string, pairs: readonly Pair[]): string[] {
  return pairs
    .filter(([, configured, found]) => JSON.stringify(configured) !== JSON.stringify(found))
    .map(
      ([key, configured, found]) =>
        `${prefix}${key}: ${configured === undefined ? "nothing" : JSON.stringify(configured)} in the configuration, ${JSON.stringify(found)} by the tensors`,
    );
}

function visionPairs(config: OpenClipVisionConfig, facts: VitFacts | ResNetFacts): Pair[] {
  const { width } = facts;
  const size = config.image_size ?? VISION_DEFAULTS.image_size;
  const [height, wide] = typeof size === "number" ? [size, size] : size;
  const stride = facts.kind === "vit" ? facts.patchSize : RESNET_STRIDE;
  const patches = Math.floor(height / stride) * Math.floor(wide / stride);
  const pairs: Pair[] = [
    ["width", config.width, width],
    ["layers", config.layers, facts.kind === "vit" ? facts.layers : facts.stages],
    [`image_size ${JSON.stringify(size)}, patches`, patches, facts.patches],
  ];
  if (facts.kind === "resnet") return pairs;
  const mlpDim = mlpDimOf(config.width, config.mlp_ratio ?? VISION_DEFAULTS.mlp_ratio);
  return [
    ...pairs,
    ["patch_size", config.patch_size, facts.patchSize],
    ["mlp_ratio × width", mlpDim, facts.mlpDim],
  ];
}

function textPairs(given: OpenClipTextConfig, facts: TextFacts): Pair[] {
  const config = { ...TEXT_DEFAULTS, ...given };
  return [
    ["context_length", config.context_length, facts.contextLength],
    ["vocab_size", config.vocab_size, facts.vocab],
    ["width", config.width, facts.width],
    ["layers", config.layers, facts.layers],
    ["mlp_ratio × width", mlpDimOf(config.width, config.mlp_ratio), facts.mlpDim],
  ];
}
