/** The CLIP paper's ResNet: three-convolution stem, anti-aliased strides, attention pooling. */
import {
  avgPool2d,
  checkShapes,
  reshape,
  imageInput,
  transpose,
  type BuildContext,
  type Encoder,
  type EncoderOutput,
  type Value,
} from "@diptych/core";
import { buildAttentionPool, within } from "@diptych/nn";
import { buildBottleneck } from "./bottleneck.js";
import {
  LAST_WIDTH,
  REDUCTION,
  resolveModifiedResNet,
  type ModifiedResNetOptions,
  type ModifiedResNetSettings,
} from "./modified-resnet-config.js";
import { buildStem } from "./stem.js";

export interface ModifiedResNetDependencies {
  /** Width of the joint space. */
  readonly embedDim: number;
  /** `image` by default. */
  readonly modality?: string;
}

/**
 * The image tower of RN50, RN101, RN50x4, RN50x16 and RN50x64 (arXiv:2103.00020 §2.4; OpenAI's clip/model.py,
 * open_clip's modified_resnet.py): stem of three convolutions and an average pool → four stages of bottlenecks → an
 * attention pool that asks for the mean of the map. Parameters have open_clip's names; initial values follow
 * clip-numerics §5: zero bn3 in the blocks, N(0, (32·width)^-1/2) in the pool, PyTorch's defaults elsewhere.
 *
 * `tokens` are the places of the last map, row by row: [batch, gridHeight·gridWidth, 32·width]. Intermediates:
 * `image/stem`, `image/layer1/block0` …, `image/layer1` … (each stage's last block), `image/patches` (the tokens),
 * `image/patches/joint` (each place as if the pool attended to it alone: [batch, places, embedDim]) and
 * `image/attnpool/attention` [batch, heads, 1, places+1], whose first key is the mean.
 *
 * @throws ConfigError listing every setting that does not fit.
 * @example
 * const image = createModifiedResNet({ variant: "RN50" }, { embedDim: 1024 });
 */
export function createModifiedResNet(
  options: ModifiedResNetOptions,
  dependencies: ModifiedResNetDependencies,
): Encoder {
  return createResolvedModifiedResNet(resolveModifiedResNet(options), dependencies);
}

/** The same from settings that the schema has resolved. */
export function createResolvedModifiedResNet(
  settings: ModifiedResNetSettings,
  { embedDim, modality = "image" }: ModifiedResNetDependencies,
): Encoder {
  const { imageHeight, imageWidth, channels } = settings;
  return Object.freeze({
    modality,
    embedDim,
    inputs: [imageInput({ imageHeight, imageWidth, channels }, modality)],
    facts: Object.freeze({
      imageHeight,
      imageWidth,
      channels,
      patchSize: REDUCTION,
      gridHeight: imageHeight / REDUCTION,
      gridWidth: imageWidth / REDUCTION,
    }),
    build: (context: BuildContext, inputs: Readonly<Record<string, Value>>) =>
      buildModifiedResNet(context, inputs[modality]!, { ...settings, embedDim, modality }),
  });
}

interface BuildOptions extends ModifiedResNetSettings {
  readonly embedDim: number;
  readonly modality: string;
}

function buildModifiedResNet(
  context: BuildContext,
  image: Value,
  options: BuildOptions,
): EncoderOutput {
  const { imageHeight, imageWidth, channels, modality, heads, embedDim } = options;
  const { batch } = checkShapes("encoders-resnet/buildModifiedResNet", [
    image,
    "image",
    ["batch", channels, imageHeight, imageWidth],
  ]);
  const { map, intermediates } = buildStages(context, image, options);
  const places = (imageHeight / REDUCTION) * (imageWidth / REDUCTION);
  const tokens = transpose(reshape(map, [batch, LAST_WIDTH * options.width, places]), [0, 2, 1]);
  const pool = within(context, "attnpool", (inner) =>
    buildAttentionPool(inner, map, { heads, embedDim }),
  );
  return {
    pooled: pool.output,
    tokens,
    intermediates: Object.freeze({
      ...intermediates,
      [`${modality}/patches`]: tokens,
      [`${modality}/patches/joint`]: pool.places,
      [`${modality}/attnpool/attention`]: pool.probabilities,
    }),
  };
}

/** Stem and stages: the last map [batch, 32·width, gridHeight, gridWidth] and the maps on the way. */
function buildStages(
  context: BuildContext,
  image: Value,
  { layers, width, norms, modality }: BuildOptions,
): { readonly map: Value; readonly intermediates: Readonly<Record<string, Value>> } {
  let map = avgPool2d(buildStem(context, image, width, norms), 2);
  const intermediates: Record<string, Value> = { [`${modality}/stem`]: map };
  layers.forEach((blocks, stage) => {
    const name = `layer${stage + 1}`;
    for (let block = 0; block < blocks; block++) {
      map = within(context, `${name}.${block}`, (inner) =>
        buildBottleneck(inner, map, {
          width: width * 2 ** stage,
          stride: stage > 0 && block === 0 ? 2 : 1,
          norms,
        }),
      );
      intermediates[`${modality}/${name}/block${block}`] = map;
    }
    intermediates[`${modality}/${name}`] = map;
  });
  return { map, intermediates };
}
