/** Resizing to a fixed size with bicubic interpolation (libvips' antialiased cubic, close to Pillow's). */
import { DataError, type Image } from "@diptych/core";
import sharp from "sharp";
import { plainBytes } from "./plain-bytes.js";

/** `crop`: shortest side to size, then the centre (CLIP). `squash`: both sides to size, as SigLIP. */
export type ResizeMode = "crop" | "squash";

export interface TargetSize {
  readonly imageHeight: number;
  readonly imageWidth: number;
}

/**
 * `image` at the target size; the same object when it has that size. Alpha is respected: colours are averaged
 * premultiplied.
 *
 * @throws DataError when the picture is empty.
 */
export async function resizeImage(
  image: Image,
  target: TargetSize,
  mode: ResizeMode = "crop",
): Promise<Image> {
  const { imageHeight, imageWidth } = target;
  if (image.width === imageWidth && image.height === imageHeight) return image;
  if (image.width < 1 || image.height < 1) {
    throw new DataError(
      `data/resizeImage: image: expected at least one pixel, got ${image.width}×${image.height}.`,
    );
  }
  const { data, info } = await sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: image.channels },
  })
    .resize(imageWidth, imageHeight, {
      fit: mode === "crop" ? "cover" : "fill",
      position: "centre",
      kernel: "cubic",
    })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const channels = info.channels as 1 | 3 | 4;
  return { width: info.width, height: info.height, channels, data: plainBytes(data) };
}
