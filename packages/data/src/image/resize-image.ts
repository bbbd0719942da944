/** Resizing to a fixed size in Pillow's arithmetic, which CLIP's preprocessing has. */
import { DataError, type Image } from "@diptych/core";
import { premultiplyBytes, unpremultiplyBytes } from "../evaluation/conversions.js";
import { placePicture } from "../evaluation/geometry.js";
import { createResampler, type Resampler } from "../evaluation/resampler.js";
import { rasterOfImage } from "./decode-raster.js";

/** `crop`: shortest side to size, then the centre (CLIP). `squash`: both sides to size, as SigLIP. */
export type ResizeMode = "crop" | "squash";

export interface TargetSize {
  readonly imageHeight: number;
  readonly imageWidth: number;
}

/** One for each thread: it keeps memory and tables. */
let resampler: Resampler | undefined;

/**
 * `image` at the target size by Pillow's bicubic (a = −0.5, antialiased, bytes between its two passes); the same object
 * when it has that size. Alpha is respected: colours are averaged premultiplied. Grey becomes RGB.
 *
 * @throws DataError when the picture is empty or its data of another length.
 */
export async function resizeImage(
  image: Image,
  target: TargetSize,
  mode: ResizeMode = "crop",
): Promise<Image> {
  const { imageHeight: height, imageWidth: width } = target;
  if (image.width === width && image.height === height) return image;
  if (image.width < 1 || image.height < 1) {
    throw new DataError(
      `data/resizeImage: image: expected at least one pixel, got ${image.width}×${image.height}.`,
    );
  }
  const placement = placePicture(image, { width, height }, mode === "crop" ? "shortest" : "squash");
  resampler ??= createResampler();
  const { data, layout } = rasterOfImage(image);
  if (layout !== "rgba") {
    const source = { width: image.width, height: image.height, channels: 3, data } as const;
    return resampler.resample(source, placement, "bicubic");
  }
  const mixed = premultiplyBytes(data);
  const source = { width: image.width, height: image.height, channels: 4, data: mixed } as const;
  const resized = resampler.resample(source, placement, "bicubic");
  unpremultiplyBytes(resized.data);
  return resized;
}
