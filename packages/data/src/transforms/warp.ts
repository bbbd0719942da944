/** Affine warp with bilinear interpolation of premultiplied pictures, with the colour matrix applied on the way. */
import type { Random } from "@diptych/core";
import type { ColorMatrix } from "./color-matrix.js";
import type { AugmentConfig } from "./config.js";
import { rowStart, type PictureBuffer } from "./picture-buffer.js";

/** Where an output pixel (x, y) reads: (xx·x + xy·y + x0, yx·x + yy·y + y0), pixel centres at integers. */
export interface Affine {
  readonly xx: number;
  readonly xy: number;
  readonly x0: number;
  readonly yx: number;
  readonly yy: number;
  readonly y0: number;
}

/** Scale, aspect, rotation and shift about the middle of a picture. */
export function drawAffine(
  config: AugmentConfig,
  random: Random,
  size: { readonly width: number; readonly height: number },
): Affine {
  const around = (strength: number): number => (2 * random.next() - 1) * strength;
  const scale = 1 + around(config.scale);
  const aspect = Math.sqrt(1 + around(config.aspect));
  const angle = config.rotation > 0 ? (random.normal() * config.rotation * Math.PI) / 180 : 0;
  const shiftX = around(config.shift) * size.width;
  const shiftY = around(config.shift) * size.height;
  // The inverse: an output pixel asks where it comes from.
  const cos = Math.cos(angle) / scale;
  const sin = Math.sin(angle) / scale;
  const xx = cos / aspect;
  const xy = sin / aspect;
  const yx = -sin * aspect;
  const yy = cos * aspect;
  const middleX = (size.width - 1) / 2;
  const middleY = (size.height - 1) / 2;
  return {
    xx,
    xy,
    x0: middleX - xx * (middleX + shiftX) - xy * (middleY + shiftY),
    yx,
    yy,
    y0: middleY - yx * (middleX + shiftX) - yy * (middleY + shiftY),
  };
}

export interface WarpOptions {
  readonly affine: Affine;
  readonly color?: ColorMatrix | undefined;
  /** Beyond the edge: its last pixel (opaque pictures), or transparent. */
  readonly extend: boolean;
}

const IDENTITY: ColorMatrix = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Writes the warped `source` into `out` (of the same size). */
export function warp(source: PictureBuffer, out: PictureBuffer, options: WarpOptions): void {
  const { width, height, stride, data } = source;
  const { xx, xy, x0, yx, yy, y0 } = options.affine;
  const [rr = 1, rg = 0, rb = 0, gr = 0, gg = 1, gb = 0, br = 0, bg = 0, bb = 1] =
    options.color ?? IDENTITY;
  const target = out.data;
  for (let y = 0; y < height; y++) {
    let at = rowStart(out, y);
    for (let x = 0; x < width; x++, at += 4) {
      let sx = xx * x + xy * y + x0;
      let sy = yx * x + yy * y + y0;
      if (options.extend) {
        sx = sx < 0 ? 0 : sx > width - 1 ? width - 1 : sx;
        sy = sy < 0 ? 0 : sy > height - 1 ? height - 1 : sy;
      } else if (sx <= -1 || sy <= -1 || sx >= width || sy >= height) {
        target[at] = target[at + 1] = target[at + 2] = target[at + 3] = 0;
        continue;
      }
      // + 1: the border. Positive here, so that | 0 rounds down.
      const ix = (sx + 1) | 0;
      const iy = (sy + 1) | 0;
      const fx = sx + 1 - ix;
      const fy = sy + 1 - iy;
      const p = iy * stride + ix * 4;
      const q = p + stride;
      const a00 = data[p + 3] as number;
      const a10 = data[p + 7] as number;
      const a01 = data[q + 3] as number;
      const a11 = data[q + 7] as number;
      // Most of a drawing's square is empty: premultiplied, nothing but zeros.
      if (a00 + a10 + a01 + a11 === 0) {
        target[at] = target[at + 1] = target[at + 2] = target[at + 3] = 0;
        continue;
      }
      const w11 = fx * fy;
      const w10 = fx - w11;
      const w01 = fy - w11;
      const w00 = 1 - fx - w01;
      const r =
        w00 * (data[p] as number) +
        w10 * (data[p + 4] as number) +
        w01 * (data[q] as number) +
        w11 * (data[q + 4] as number);
      const g =
        w00 * (data[p + 1] as number) +
        w10 * (data[p + 5] as number) +
        w01 * (data[q + 1] as number) +
        w11 * (data[q + 5] as number);
      const b =
        w00 * (data[p + 2] as number) +
        w10 * (data[p + 6] as number) +
        w01 * (data[q + 2] as number) +
        w11 * (data[q + 6] as number);
      const a = w00 * a00 + w10 * a10 + w01 * a01 + w11 * a11;
      const red = rr * r + rg * g + rb * b;
      const green = gr * r + gg * g + gb * b;
      const blue = br * r + bg * g + bb * b;
      target[at] = red < 0 ? 0 : red > a ? a : red;
      target[at + 1] = green < 0 ? 0 : green > a ? a : green;
      target[at + 2] = blue < 0 ? 0 : blue > a ? a : blue;
      target[at + 3] = a;
    }
  }
}
