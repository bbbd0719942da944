/** Decoding of image files into plain pixels. */
import type { Image } from "@diptych/core";
import { cmykToRgb } from "../evaluation/conversions.js";
import { decodeRaster, openImage } from "./decode-raster.js";

export interface DecodeOptions {
  /** Most pixels (width × height) that are decoded, default 100 million: guards against files made to fill memory. */
  readonly pixelLimit?: number;
  /** Turns the picture as its EXIF orientation says; default false, as PIL and so CLIP's own preprocessing. */
  readonly orient?: boolean;
  /** What to call the picture in errors when `source` holds bytes. */
  readonly name?: string;
}

export const DEFAULT_PIXEL_LIMIT = 100_000_000;

/**
 * Decodes a file (or its bytes) into 8-bit RGB, or RGBA of straight alpha where it has alpha: JPEG, PNG, WebP, GIF
 * (first frame), AVIF, TIFF, SVG. Colour profiles are ignored, palettes expanded, CMYK converted as Pillow does; of
 * 16 bits the upper 8 count (where Pillow's conversion of 16-bit grey cuts at 255, which the evaluation transform
 * repeats: createEvaluationTransform).
 *
 * @throws DataError naming the picture when it is missing, empty, corrupt, cut off, of an unknown format or too large.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<Image> {
  const { pixelLimit = DEFAULT_PIXEL_LIMIT, orient = false } = options;
  const name = options.name ?? (typeof source === "string" ? source : "image bytes");
  const opened = await openImage(source, name, pixelLimit);
  const raster = await decodeRaster(opened, { pixelLimit, orient });
  const { width, height } = raster;
  if (raster.layout === "grey16") {
    const data = new Uint8Array(width * height * 3);
    raster.data.forEach((value, i) => data.fill(value >> 8, i * 3, i * 3 + 3));
    return { width, height, channels: 3, data };
  }
  if (raster.layout === "cmyk") {
    return { width, height, channels: 3, data: cmykToRgb(raster.data) };
  }
  return { width, height, channels: raster.layout === "rgba" ? 4 : 3, data: raster.data };
}
