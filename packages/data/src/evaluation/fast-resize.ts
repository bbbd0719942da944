/** The fast mode: libvips reduces JPEG while decoding it, and resizes with its own cubic. Same geometry, other pixels. */
import type { Image } from "@diptych/core";
import { openSharp, type EncodedImage } from "../image/decode-raster.js";
import { explainDecoding } from "../image/image-errors.js";
import { plainBytes } from "../image/plain-bytes.js";
import { placePicture } from "./geometry.js";
import type { Size } from "./resampler.js";
import type { EvaluationSettings } from "./settings.js";

/**
 * Undefined for what gains nothing (PNG, GIF: decoding is the cost) or needs Pillow's own conversions (CMYK, alpha);
 * the exact way then serves.
 *
 * @throws DataError as decoding does.
 */
export async function decodeFast(
  image: EncodedImage,
  settings: EvaluationSettings,
): Promise<Image | undefined> {
  const { header, name } = image;
  const isJpeg = header?.format === "jpeg" && header.kind === "color";
  if (!isJpeg && !isWebp(image.bytes)) return undefined;
  const orient = settings.orientation === "honour";
  const { imageWidth: width, imageHeight: height, fillColor: fill, maxPixels } = settings;
  const options = { pixelLimit: maxPixels, orient };
  try {
    const size = isJpeg && !orient ? header : await opaqueSize(image, settings);
    if (size === undefined) return undefined;
    const place = placePicture(size, { width, height }, settings.resizeMode);
    const { left, top, targetLeft, targetTop } = place;
    const kernel = settings.interpolation === "bilinear" ? "linear" : "cubic";
    const resized = openSharp(image, options)
      .resize(place.resizedWidth, place.resizedHeight, { fit: "fill", kernel })
      .extract({ left, top, width: place.width, height: place.height });
    const isFull = place.width === width && place.height === height;
    const filled = isFull
      ? resized
      : resized.extend({
          left: targetLeft,
          top: targetTop,
          right: width - place.width - targetLeft,
          bottom: height - place.height - targetTop,
          background: { r: fill, g: fill, b: fill },
        });
    const data = await filled.toColourspace("srgb").raw({ depth: "uchar" }).toBuffer();
    return { width, height, channels: 3, data: plainBytes(data) };
  } catch (cause) {
    throw explainDecoding(name, cause, maxPixels);
  }
}

function isWebp(bytes: Uint8Array): boolean {
  return bytes.length > 12 && Buffer.from(bytes.subarray(8, 12)).toString("latin1") === "WEBP";
}

async function opaqueSize(
  image: EncodedImage,
  settings: EvaluationSettings,
): Promise<Size | undefined> {
  const options = { pixelLimit: settings.maxPixels, orient: false };
  const { hasAlpha, autoOrient, width, height } = await openSharp(image, options).metadata();
  if (hasAlpha) return undefined;
  return settings.orientation === "honour" ? autoOrient : { width, height };
}
