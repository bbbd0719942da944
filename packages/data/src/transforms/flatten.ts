/** Drawing a premultiplied picture on a background, as 8-bit RGB; and covering a rectangle. */
import type { Image } from "@diptych/core";
import { rowStart, type PictureBuffer } from "./picture-buffer.js";

export type Color = readonly [number, number, number];

/** colour + (1 − alpha)·background, rounded. */
export function flatten(picture: PictureBuffer, background: Color): Image {
  const { width, height, data } = picture;
  const [r, g, b] = background;
  // Rounds to nearest and cuts at 0 and 255.
  const out = new Uint8ClampedArray(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const start = rowStart(picture, y);
    for (let i = start; i < start + width * 4; i += 4, at += 3) {
      const through = 1 - (data[i + 3] as number) / 255;
      out[at] = (data[i] as number) + r * through;
      out[at + 1] = (data[i + 1] as number) + g * through;
      out[at + 2] = (data[i + 2] as number) + b * through;
    }
  }
  return { width, height, channels: 3, data: new Uint8Array(out.buffer) };
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Fills a rectangle of an RGB picture, in place. */
export function cover(image: Image, rectangle: Rectangle, color: Color): void {
  const right = Math.min(rectangle.left + rectangle.width, image.width);
  const bottom = Math.min(rectangle.top + rectangle.height, image.height);
  for (let y = rectangle.top; y < bottom; y++) {
    for (let x = rectangle.left; x < right; x++) {
      image.data.set(color, (y * image.width + x) * 3);
    }
  }
}
