/** Affine warp with bilinear interpolation of premultiplied pictures, with the colour matrix applied on the way. */
import type { Random } from "@diptych/core";
import type { ColorMatrix } from "./color-matrix.js";
import type { AugmentConfig } from "./config.js";
import { rowStart, type PackedBuffer, type PictureBuffer } from "./picture-buffer.js";

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

/** Red and blue of a packed pixel, each in half of 32 bits; shifted by a byte: green and alpha. */
const HALVES = 0x00ff00ff;

/** Writes the warped `source` into `out` (of the same size). Positions are rounded down to 1/256 of a pixel. */
export function warp(source: PackedBuffer, out: PictureBuffer, options: WarpOptions): void {
  const { width, height, stride, pixels } = source;
  const { xx, xy, x0, yx, yy, y0 } = options.affine;
  const color = options.color ?? IDENTITY;
  // Sums of weights are 256: the matrix takes that out.
  const [rr = 0, rg = 0, rb = 0, gr = 0, gg = 0, gb = 0, br = 0, bg = 0, bb = 0] = color.map(
    (entry) => entry / 256,
  );
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
      const x256 = ((sx + 1) * 256) | 0;
      const y256 = ((sy + 1) * 256) | 0;
      const p = (y256 >> 8) * stride + (x256 >> 8);
      const p00 = pixels[p] as number;
      const p10 = pixels[p + 1] as number;
      const p01 = pixels[p + stride] as number;
      const p11 = pixels[p + stride + 1] as number;
      // Most of a drawing's square is empty: premultiplied, nothing but zeros.
      if ((p00 | p10 | p01 | p11) === 0) {
        target[at] = target[at + 1] = target[at + 2] = target[at + 3] = 0;
        continue;
      }
      const fx = x256 & 255;
      const fy = y256 & 255;
      const w11 = (fx * fy) >> 8;
      const w10 = fx - w11;
      const w01 = fy - w11;
      const w00 = 256 - fx - w01;
      // A half holds at most 255·256 < 2^16, so that halves never meet; | 0 keeps the sums in 32 bits.
      const redBlue =
        ((Math.imul(p00 & HALVES, w00) + Math.imul(p10 & HALVES, w10)) | 0) +
        ((Math.imul(p01 & HALVES, w01) + Math.imul(p11 & HALVES, w11)) | 0);
      const greenAlpha =
        ((Math.imul((p00 >>> 8) & HALVES, w00) + Math.imul((p10 >>> 8) & HALVES, w10)) | 0) +
        ((Math.imul((p01 >>> 8) & HALVES, w01) + Math.imul((p11 >>> 8) & HALVES, w11)) | 0);
      const r = redBlue & 0xffff;
      const b = redBlue >>> 16;
      const g = greenAlpha & 0xffff;
      const a = (greenAlpha >>> 16) / 256;
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
