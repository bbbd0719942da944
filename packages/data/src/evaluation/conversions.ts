/** Pillow's conversions between pixel modes (libImaging/Convert.c), byte for byte. */
import type { Channels3 } from "../image/image-tensor.js";

/** (a·b)/255, rounded, in integers. */
function multiply(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** RGBA to RGBa. */
export function premultiplyBytes(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3] as number;
    out[i] = multiply(data[i] as number, alpha);
    out[i + 1] = multiply(data[i + 1] as number, alpha);
    out[i + 2] = multiply(data[i + 2] as number, alpha);
    out[i + 3] = alpha;
  }
  return out;
}

/** RGBa to RGBA, in place: rounds down, and leaves colours under no alpha as they are. */
export function unpremultiplyBytes(data: Uint8Array): void {
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3] as number;
    if (alpha === 0 || alpha === 255) continue;
    for (let c = i; c < i + 3; c++) {
      data[c] = Math.min(255, Math.floor((255 * (data[c] as number)) / alpha));
    }
  }
}

/** RGBA to RGB: the colour as it is stored, or drawn over `background`. */
export function dropAlpha(data: Uint8Array, background?: Channels3): Uint8Array {
  const pixels = data.length / 4;
  const out = new Uint8Array(pixels * 3);
  for (let i = 0, j = 0; i < data.length; i += 4, j += 3) {
    const alpha = background === undefined ? 255 : (data[i + 3] as number);
    for (let c = 0; c < 3; c++) {
      const color = data[i + c] as number;
      out[j + c] =
        alpha === 255 || background === undefined
          ? color
          : Math.round((color * alpha + (background[c] as number) * (255 - alpha)) / 255);
    }
  }
  return out;
}

/** CMYK to RGB: (1 − C)·(1 − K), cut at 0. */
export function cmykToRgb(data: Uint8Array): Uint8Array {
  const out = new Uint8Array((data.length / 4) * 3);
  for (let i = 0, j = 0; i < data.length; i += 4, j += 3) {
    const light = 255 - (data[i + 3] as number);
    out[j] = Math.max(0, light - multiply(data[i] as number, light));
    out[j + 1] = Math.max(0, light - multiply(data[i + 1] as number, light));
    out[j + 2] = Math.max(0, light - multiply(data[i + 2] as number, light));
  }
  return out;
}

/** I;16 to RGB: values above 255 are white (Pillow does not scale them). */
export function deepToRgb(data: Uint16Array): Uint8Array {
  const out = new Uint8Array(data.length * 3);
  for (let i = 0; i < data.length; i++) {
    out.fill(Math.min(255, data[i] as number), i * 3, i * 3 + 3);
  }
  return out;
}
