/**
 * The evaluation transform of CLIP: a picture of any format and size as the model's input, with the pixels that
 * open_clip's transform (Pillow 13 and torchvision) gives.
 */
import { createHostTensor, type HostTensor, type Image } from "@diptych/core";
import {
  decodeRaster,
  openImage,
  rasterOfImage,
  type EncodedImage,
  type ImageSource,
  type Raster,
} from "../image/decode-raster.js";
import {
  cmykToRgb,
  deepToRgb,
  dropAlpha,
  premultiplyBytes,
  unpremultiplyBytes,
} from "./conversions.js";
import { decodeFast } from "./fast-resize.js";
import { placePicture, type Placement } from "./geometry.js";
import { createNormalizer } from "./normalize.js";
import { resizeDeep, resizeNearest } from "./other-resizes.js";
import { createResampler, type Bytes, type Resampler } from "./resampler.js";
import {
  resolveEvaluationSettings,
  type EvaluationOptions,
  type EvaluationSettings,
} from "./settings.js";

export interface EvaluationTransform {
  readonly settings: EvaluationSettings;
  /** The RGB picture of the model's size, before normalisation: what open_clip's goldens hold. */
  pixels(source: ImageSource): Promise<Image>;
  /** Writes (pixel/255 − mean)/std as planes R, G, B at `offset` of `out`. @throws DataError when there is no room. */
  write(source: ImageSource, out: Float32Array, offset?: number): Promise<void>;
  /** float32 [3, imageHeight, imageWidth]. */
  tensor(source: ImageSource): Promise<HostTensor<"float32">>;
}

/**
 * resize → centre crop (or fill) → RGB → (x/255 − mean)/std; open_clip/transform.py, image_transform. Sources are
 * paths, the bytes of a file, or pixels (alpha straight). Pixels equal open_clip's where the decoder equals Pillow's:
 * PNG, GIF, BMP-like formats always, JPEG and WebP with the decoders that sharp brings.
 *
 * @throws ConfigError for wrong settings.
 */
export function createEvaluationTransform(options: EvaluationOptions = {}): EvaluationTransform {
  const settings = resolveEvaluationSettings(options);
  const { imageHeight, imageWidth } = settings;
  const resampler = createResampler();
  const normalize = createNormalizer(settings);
  const pixels = async (source: ImageSource): Promise<Image> => {
    if (!isEncoded(source)) return transformRaster(rasterOfImage(source), settings, resampler);
    const name = typeof source === "string" ? source : "image bytes";
    const opened = await openImage(source, name, settings.maxPixels);
    const fast = settings.resize === "fast" ? await decodeFast(opened, settings) : undefined;
    if (fast !== undefined) return fast;
    return transformRaster(await decode(opened, settings), settings, resampler);
  };
  return Object.freeze({
    settings,
    pixels,
    write: async (source, out, offset = 0) => normalize(await pixels(source), out, offset),
    tensor: async (source) => {
      const data = new Float32Array(3 * imageHeight * imageWidth);
      normalize(await pixels(source), data, 0);
      return createHostTensor("float32", [3, imageHeight, imageWidth], data);
    },
  } satisfies EvaluationTransform);
}

function isEncoded(source: ImageSource): source is string | Uint8Array {
  return typeof source === "string" || source instanceof Uint8Array;
}

function decode(image: EncodedImage, settings: EvaluationSettings): Promise<Raster> {
  const { maxPixels, orientation } = settings;
  return decodeRaster(image, { pixelLimit: maxPixels, orient: orientation === "honour" });
}

/** Resizes and crops, or fills; without any decoding. */
function transformRaster(
  raster: Raster,
  settings: EvaluationSettings,
  resampler: Resampler,
): Image {
  const target = { width: settings.imageWidth, height: settings.imageHeight };
  const placement = placePicture(raster, target, settings.resizeMode);
  const early = settings.rgb === "early" ? earlyRaster(raster, settings) : raster;
  const resized = resizeRaster(early, placement, { settings, resampler });
  return fillAround(resized, placement, { ...target, color: fillColor(early, settings) });
}

/** Pixels that Pillow's convert("RGB") has made before anything else. */
function earlyRaster(raster: Raster, { background }: EvaluationSettings): Raster {
  const { width, height } = raster;
  const data =
    raster.layout === "grey16"
      ? deepToRgb(raster.data)
      : raster.layout === "cmyk"
        ? cmykToRgb(raster.data)
        : raster.layout === "rgba"
          ? dropAlpha(raster.data, background)
          : raster.data;
  return { layout: "rgb", kind: "color", width, height, data, ownAlpha: false };
}

interface ResizeContext {
  readonly settings: EvaluationSettings;
  readonly resampler: Resampler;
}

/** The wanted part of the resized picture as RGB. */
function resizeRaster(raster: Raster, placement: Placement, context: ResizeContext): Uint8Array {
  const { interpolation, background } = context.settings;
  if (raster.layout === "grey16") return deepToRgb(resizeDeep(raster, placement, interpolation));
  const { layout, kind, width, height } = raster;
  const channels = layout === "rgb" ? 3 : 4;
  const isAsIs = width === placement.resizedWidth && height === placement.resizedHeight;
  const resize = (data: Uint8Array): Uint8Array => {
    const source: Bytes = { width, height, channels, data };
    if (isAsIs || kind === "palette" || kind === "bilevel") {
      return resizeNearest(source, placement).data;
    }
    return context.resampler.resample(source, placement, interpolation).data;
  };
  if (layout === "rgb") return resize(raster.data);
  if (layout === "cmyk") return cmykToRgb(resize(raster.data));
  // A transparent colour is no alpha channel to Pillow; shown over a background, it is.
  const isMixed = kind === "color" && !isAsIs && (raster.ownAlpha || background !== undefined);
  if (!isMixed) return dropAlpha(resize(raster.data), background);
  const mixed = resize(premultiplyBytes(raster.data));
  unpremultiplyBytes(mixed);
  return dropAlpha(mixed, background);
}

/** What open_clip's padding shows: `fill` in the picture's own mode, as RGB. */
function fillColor(raster: Raster, settings: EvaluationSettings): Uint8Array {
  const { fillColor: fill } = settings;
  if (raster.layout === "grey16") return Uint8Array.of(fill, fill, fill);
  if (raster.layout === "cmyk") return cmykToRgb(Uint8Array.of(fill, fill, fill, fill));
  if (raster.kind === "bilevel" && fill > 0) return Uint8Array.of(255, 255, 255);
  if (raster.kind === "palette" && raster.palette !== undefined) {
    const color = new Uint8Array(3);
    color.set(raster.palette.subarray(fill * 3, fill * 3 + 3));
    return color;
  }
  return Uint8Array.of(fill, fill, fill);
}

interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly color: Uint8Array;
}

function fillAround(data: Uint8Array, placement: Placement, canvas: Canvas): Image {
  const { width, height, color } = canvas;
  if (placement.width === width && placement.height === height) {
    return { width, height, channels: 3, data };
  }
  const out = new Uint8Array(width * height * 3);
  for (let i = 0; i < out.length; i += 3) out.set(color, i);
  const rowBytes = placement.width * 3;
  for (let y = 0; y < placement.height; y++) {
    const row = data.subarray(y * rowBytes, (y + 1) * rowBytes);
    out.set(row, ((placement.targetTop + y) * width + placement.targetLeft) * 3);
  }
  return { width, height, channels: 3, data: out };
}
