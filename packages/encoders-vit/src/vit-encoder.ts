/** CLIP's vision transformer: patches, class token, positions, pre-norm blocks, one projection. */
import {
  broadcast,
  checkShapes,
  ConfigError,
  concat,
  normal,
  imageInput,
  reshape,
  sliceAxis,
  type BuildContext,
  type Encoder,
  type EncoderOutput,
  type Value,
} from "@diptych/core";
import {
  buildLayerNorm,
  buildPositionEmbedding,
  buildSinCosPositions,
  buildTransformer,
  inScope,
  within,
} from "@diptych/nn";
import { resolveVit, type VitOptions, type VitSettings } from "./config.js";
import { buildPatchEmbedding } from "./patch-embedding.js";
import { dropPatches } from "./patch-dropout.js";
import { poolAndProject, poolByAttention } from "./head.js";

export interface VitDependencies {
  /** Width of the joint space. */
  readonly embedDim: number;
  /** `image` by default. */
  readonly modality?: string;
}

/**
 * A vision transformer as CLIP has it (arXiv:2103.00020 §2.4; OpenAI's clip/model.py, open_clip's transformer.py):
 * conv1 → class_embedding first → + positional_embedding → ln_pre → blocks → ln_post → pool → proj.
 * Parameters have open_clip's names; initial values follow open_clip (clip-numerics §5).
 *
 * Intermediates, i from 0: `image/block<i>` [batch, patches+1, width] (the class token first); `image/block<i>/attention`
 * [batch, heads, patches+1, patches+1], probabilities of queries over keys; `image/patches`, the patches after the last
 * block and, but for pooling by attention, the last norm; `image/patches/joint` (not with pooling by attention), the
 * same projected into the joint space; with pooling by attention `image/attn_pool/attention` [batch, heads, queries,
 * patches+1]. What a graph does not name as an output costs nothing; with patch dropout, training sees fewer patches.
 *
 * @throws ConfigError listing every setting that does not fit, e.g. a patch size that does not divide the image.
 * @example
 * const image = createVitEncoder({ variant: "B/32" }, { embedDim: 512 });
 */
export function createVitEncoder(options: VitOptions, dependencies: VitDependencies): Encoder {
  return createResolvedVit(resolveVit(options), dependencies);
}

/** The same from settings that the schema has resolved. */
export function createResolvedVit(
  settings: VitSettings,
  { embedDim, modality = "image" }: VitDependencies,
): Encoder {
  const { imageHeight, imageWidth, channels, patchSize, attentionPool } = settings;
  if (attentionPool && embedDim % attentionPool.heads !== 0) {
    throw new ConfigError(
      `encoders-vit/createVitEncoder: attentionPool.heads: expected a divisor of embedDim ${embedDim}, got ${attentionPool.heads}. Queries have the width of the joint space.`,
    );
  }
  return Object.freeze({
    modality,
    embedDim,
    inputs: [imageInput({ imageHeight, imageWidth, channels }, modality)],
    facts: Object.freeze({
      imageHeight,
      imageWidth,
      channels,
      patchSize,
      gridHeight: imageHeight / patchSize,
      gridWidth: imageWidth / patchSize,
    }),
    build: (context: BuildContext, inputs: Readonly<Record<string, Value>>) =>
      buildVit(context, inputs[modality]!, { ...settings, embedDim, modality }),
  });
}

interface BuildOptions extends VitSettings {
  readonly embedDim: number;
  readonly modality: string;
}

function buildVit(context: BuildContext, image: Value, options: BuildOptions): EncoderOutput {
  const { modality, normBefore, normEpsilon: epsilon } = options;
  const embedded = embedTokens(context, image, options);
  const first = normBefore
    ? buildLayerNorm(inScope(context, "ln_pre"), embedded, { epsilon })
    : embedded;
  const { output, intermediates } = within(context, "transformer", (inner) =>
    buildTransformer(inner, first, {
      layers: options.layers,
      heads: options.heads,
      mlpDim: options.mlpDim,
      activation: options.activation,
      normEpsilon: epsilon,
      path: modality,
      ...(options.layerScale === undefined ? {} : { layerScale: options.layerScale }),
    }),
  );
  const head = options.attentionPool
    ? poolByAttention(context, output, { ...options, attentionPool: options.attentionPool })
    : poolAndProject(context, output, options);
  return {
    pooled: head.pooled,
    tokens: head.tokens,
    intermediates: Object.freeze({ ...intermediates, ...head.intermediates }),
  };
}

/** Class token and patches with their positions: [batch, kept+1, width]. */
function embedTokens(context: BuildContext, image: Value, options: BuildOptions): Value {
  const { width, imageHeight, imageWidth, patchSize } = options;
  const patches = buildPatchEmbedding(context, image, options);
  const { batch } = checkShapes("encoders-vit/embedTokens", [
    patches,
    "patches",
    ["batch", "patches", "width"],
  ]);
  const [gridHeight, gridWidth] = [imageHeight / patchSize, imageWidth / patchSize];
  const scale = normal(width ** -0.5);
  const classToken = context.scope.parameter("class_embedding", [width], {
    initializer: scale,
    weightDecay: false,
  });
  const tokens = concat(
    [broadcast(reshape(classToken, [1, 1, width]), [batch, 1, width]), patches],
    1,
  );
  const positioned =
    options.positions === "learned"
      ? buildPositionEmbedding(context, tokens, {
          contextLength: gridHeight * gridWidth + 1,
          init: scale,
        })
      : buildSinCosPositions(context, tokens, { gridHeight, gridWidth, prefixTokens: 1 });
  if (context.mode === "eval" || options.patchDropout === 0) return positioned;
  const kept = dropPatches(
    context,
    sliceAxis(positioned, 1, 1, gridHeight * gridWidth),
    options.patchDropout,
  );
  return concat([sliceAxis(positioned, 1, 0, 1), kept], 1);
}
