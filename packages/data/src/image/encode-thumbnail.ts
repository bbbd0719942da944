/** Small pictures for pages that hold hundreds of them: WebP, a third of what PNG takes. */
import type { Image } from "@diptych/core";
import sharp from "sharp";

export interface ThumbnailOptions {
  /** Longest side in pixels, default 64; smaller pictures stay as they are. */
  readonly size?: number;
  /** 1…100, default 80. */
  readonly quality?: number;
}

/** The bytes of a WebP file of `image`, its proportions kept. */
export async function encodeThumbnail(
  { width, height, channels, data }: Image,
  { size = 64, quality = 80 }: ThumbnailOptions = {},
): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels } })
    .resize({ width: size, height: size, fit: "inside", withoutEnlargement: true })
    .webp({ quality, effort: 4 })
    .toBuffer();
}
