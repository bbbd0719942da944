/**
 * Working memory of the augmentation: premultiplied RGBA float32 with a border of one pixel, so that neighbours and
 * interpolation never need a bounds check.
 */
import type { Image } from "@diptych/core";

export interface PictureBuffer {
  readonly width: number;
  readonly height: number;
  /** Elements from one row to the next: (width + 2)·4. */
  readonly stride: number;
  /** (height + 2) rows. */
  readonly data: Float32Array;
}

export function createPictureBuffer(width: number, height: number): PictureBuffer {
  const stride = (width + 2) * 4;
  return { width, height, stride, data: new Float32Array(stride * (height + 2)) };
}

/** Index of the first element of row `y`, border excluded. */
export function rowStart(buffer: PictureBuffer, y: number): number {
  return (y + 1) * buffer.stride + 4;
}

/** Fills the buffer with `image` (of its size), premultiplied; the border is transparent. */
export function loadPicture(image: Image, buffer: PictureBuffer): void {
  const { data, channels } = image;
  const out = buffer.data;
  const step = channels === 1 ? 0 : 1;
  for (let y = 0; y < buffer.height; y++) {
    let at = rowStart(buffer, y);
    let from = y * buffer.width * channels;
    const end = from + buffer.width * channels;
    for (; from < end; from += channels, at += 4) {
      const alpha = channels === 4 ? (data[from + 3] as number) : 255;
      const portion = alpha / 255;
      out[at] = (data[from] as number) * portion;
      out[at + 1] = (data[from + step] as number) * portion;
      out[at + 2] = (data[from + 2 * step] as number) * portion;
      out[at + 3] = alpha;
    }
  }
  clearBorder(buffer);
}

export function clearBorder(buffer: PictureBuffer): void {
  const { data, stride, height } = buffer;
  data.fill(0, 0, stride);
  data.fill(0, (height + 1) * stride);
  for (let y = 1; y <= height; y++) {
    data.fill(0, y * stride, y * stride + 4);
    data.fill(0, (y + 1) * stride - 4, (y + 1) * stride);
  }
}
