/** Pictures as PNG files, for pages and contact sheets. */
import type { Image } from "@diptych/core";
import sharp from "sharp";

/** The bytes of a PNG file of `image`. */
export async function encodePng({ width, height, channels, data }: Image): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}
