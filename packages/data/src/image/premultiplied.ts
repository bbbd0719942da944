/**
 * RGBA with colours multiplied by alpha, as float32: the form in which pictures may be averaged. Averaging straight
 * RGBA mixes in the colour under transparent pixels and draws dark or bright seams around shapes.
 */
import type { Image } from "@diptych/core";

/** Row-major, channels last, 4 channels in [0, 255], colours ≤ alpha. */
export interface PremultipliedImage {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Writes `image` premultiplied into `out` (width·height·4); opaque where it has no alpha. */
function writePremultiplied(image: Image, out: Float32Array): void {
  const { data, channels } = image;
  const pixels = image.width * image.height;
  if (channels === 4) {
    for (let i = 0; i < pixels * 4; i += 4) {
      const alpha = data[i + 3] ?? 0;
      const share = alpha / 255;
      out[i] = (data[i] ?? 0) * share;
      out[i + 1] = (data[i + 1] ?? 0) * share;
      out[i + 2] = (data[i + 2] ?? 0) * share;
      out[i + 3] = alpha;
    }
    return;
  }
  // A grey picture repeats its one channel.
  const step = channels === 3 ? 1 : 0;
  for (let i = 0; i < pixels; i++) {
    const from = i * channels;
    out[i * 4] = data[from] ?? 0;
    out[i * 4 + 1] = data[from + step] ?? 0;
    out[i * 4 + 2] = data[from + 2 * step] ?? 0;
    out[i * 4 + 3] = 255;
  }
}

export function premultiply(image: Image): PremultipliedImage {
  const data = new Float32Array(image.width * image.height * 4);
  writePremultiplied(image, data);
  return { width: image.width, height: image.height, data };
}

/** Back to 8 bits of straight alpha; a premultiplied 8-bit value survives the round trip exactly. */
export function unpremultiply(image: PremultipliedImage): Image {
  const { data } = image;
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = clampByte(data[i + 3] ?? 0);
    out[i + 3] = alpha;
    if (alpha === 0) continue;
    const scale = 255 / (data[i + 3] ?? 255);
    out[i] = clampByte((data[i] ?? 0) * scale);
    out[i + 1] = clampByte((data[i + 1] ?? 0) * scale);
    out[i + 2] = clampByte((data[i + 2] ?? 0) * scale);
  }
  return { width: image.width, height: image.height, channels: 4, data: out };
}

/** Rounds to a byte, half up. */
function clampByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0;
}
