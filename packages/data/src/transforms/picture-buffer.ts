/**
 * Working memory of the augmentation: premultiplied RGBA with a border of one pixel, so that neighbours and
 * interpolation never need a bounds check. The border is transparent except while a filter says otherwise.
 */
import { DataError, type Image } from "@diptych/core";

/** 8 bits a channel, a pixel in one int32 (R in the lowest byte): two channels are interpolated by one multiplication. */
export interface PackedBuffer {
  readonly width: number;
  readonly height: number;
  /** Pixels from one row to the next: width + 2. */
  readonly stride: number;
  readonly pixels: Int32Array;
}

/** float32 in [0, 255], colours ≤ alpha. */
export interface PictureBuffer {
  readonly width: number;
  readonly height: number;
  /** Elements from one row to the next: (width + 2)·4. */
  readonly stride: number;
  /** (height + 2) rows. */
  readonly data: Float32Array;
}

export function createPackedBuffer(width: number, height: number): PackedBuffer {
  const stride = width + 2;
  return { width, height, stride, pixels: new Int32Array(stride * (height + 2)) };
}

export function createPictureBuffer(width: number, height: number): PictureBuffer {
  const stride = (width + 2) * 4;
  return { width, height, stride, data: new Float32Array(stride * (height + 2)) };
}

/** Index of the first element of row `y`, border excluded. */
export function rowStart(buffer: PictureBuffer, y: number): number {
  return (y + 1) * buffer.stride + 4;
}

/** Index of the first pixel of row `y`, border excluded. */
export function packedRowStart(buffer: PackedBuffer, y: number): number {
  return (y + 1) * buffer.stride + 1;
}

/** Four bytes as a pixel. */
export function packPixel(r: number, g: number, b: number, a: number): number {
  return r | (g << 8) | (b << 16) | (a << 24);
}

/** Fills the buffer with `image`, premultiplied and rounded. @throws DataError when it has another size. */
export function loadPicture(image: Image, buffer: PackedBuffer): void {
  const { width, height } = buffer;
  if (image.width !== width || image.height !== height) {
    throw new DataError(
      `data/augment: image: expected ${width}×${height} pixels, got ${image.width}×${image.height}. Resize it first.`,
    );
  }
  if (image.channels === 4) loadTransparent(image.data, buffer);
  else loadOpaque(image, buffer);
}

function loadTransparent(data: Uint8Array, buffer: PackedBuffer): void {
  const { pixels } = buffer;
  let from = 0;
  for (let y = 0; y < buffer.height; y++) {
    const start = packedRowStart(buffer, y);
    for (let at = start; at < start + buffer.width; at++, from += 4) {
      const alpha = data[from + 3] as number;
      if (alpha === 0) {
        pixels[at] = 0;
        continue;
      }
      const share = alpha / 255;
      // + 0.5 and the cut by | round.
      const r = (data[from] as number) * share + 0.5;
      const g = (data[from + 1] as number) * share + 0.5;
      const b = (data[from + 2] as number) * share + 0.5;
      pixels[at] = packPixel(r | 0, g | 0, b | 0, alpha);
    }
  }
}

function loadOpaque({ data, channels }: Image, buffer: PackedBuffer): void {
  const { pixels } = buffer;
  // A grey picture repeats its one channel.
  const step = channels === 1 ? 0 : 1;
  let from = 0;
  for (let y = 0; y < buffer.height; y++) {
    const start = packedRowStart(buffer, y);
    for (let at = start; at < start + buffer.width; at++, from += channels) {
      const g = data[from + step] as number;
      pixels[at] = packPixel(data[from] as number, g, data[from + 2 * step] as number, 255);
    }
  }
}
