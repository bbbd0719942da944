/** Filters on premultiplied pictures: blur, sharpen, and a dark outline around what is drawn. */
import {
  packedRowStart,
  packPixel,
  rowStart,
  type PackedBuffer,
  type PictureBuffer,
} from "./picture-buffer.js";

/**
 * out = source + amount·(blurred − source), with the 3×3 binomial blur: 1 blurs, negative amounts sharpen. Beyond the
 * edge the border counts, so an opaque picture fades there unless `extend` repeats its last pixels.
 */
export function blurOrSharpen(
  source: PictureBuffer,
  out: PictureBuffer,
  options: { readonly amount: number; readonly extend: boolean },
): void {
  const { stride, data, width, height } = source;
  if (options.extend) repeatEdge(source);
  const target = out.data;
  const { amount } = options;
  for (let y = 0; y < height; y++) {
    const start = rowStart(source, y);
    // From the end, so that alpha (the last of 4) is known before the colours that it bounds.
    let alpha = 0;
    for (let i = start + width * 4 - 1; i >= start; i--) {
      const up = i - stride;
      const down = i + stride;
      const corners =
        (data[up - 4] as number) +
        (data[up + 4] as number) +
        (data[down - 4] as number) +
        (data[down + 4] as number);
      const sides =
        (data[up] as number) +
        (data[down] as number) +
        (data[i - 4] as number) +
        (data[i + 4] as number);
      const own = data[i] as number;
      const value = own + amount * ((corners + 2 * sides + 4 * own) / 16 - own);
      const isAlpha = ((i - start) & 3) === 3;
      const most = isAlpha ? 255 : alpha;
      const kept = value < 0 ? 0 : value > most ? most : value;
      if (isAlpha) alpha = kept;
      target[i] = kept;
    }
  }
  if (options.extend) clearBorder(source);
}

/** Copies the outermost pixels into the border. */
function repeatEdge(buffer: PictureBuffer): void {
  const { data, stride, width, height } = buffer;
  for (let y = 0; y < height; y++) {
    const start = rowStart(buffer, y);
    data.copyWithin(start - 4, start, start + 4);
    data.copyWithin(start + width * 4, start + (width - 1) * 4, start + width * 4);
  }
  data.copyWithin(0, stride, 2 * stride);
  data.copyWithin((height + 1) * stride, height * stride, (height + 1) * stride);
}

function clearBorder({ data, stride, height }: PictureBuffer): void {
  data.fill(0, 0, stride);
  data.fill(0, (height + 1) * stride);
  for (let y = 1; y <= height; y++) {
    data.fill(0, y * stride, y * stride + 4);
    data.fill(0, (y + 1) * stride - 4, (y + 1) * stride);
  }
}

/**
 * Draws the picture over its own silhouette grown by one pixel in `grey` (0–255): drawings get the line that outlined
 * styles have.
 */
export function outline(source: PackedBuffer, out: PackedBuffer, grey: number): void {
  const { stride, pixels, width, height } = source;
  for (let y = 0; y < height; y++) {
    const start = packedRowStart(source, y);
    for (let i = start; i < start + width; i++) {
      const pixel = pixels[i] as number;
      const own = pixel >>> 24;
      let grown = own;
      if (own < 255) {
        for (let row = i - stride; row <= i + stride; row += stride) {
          for (let at = row - 1; at <= row + 1; at++) {
            const alpha = (pixels[at] as number) >>> 24;
            if (alpha > grown) grown = alpha;
          }
        }
      }
      const seen = Math.round(grown * (1 - own / 255));
      const shade = Math.round((seen * grey) / 255);
      out.pixels[i] =
        seen === 0
          ? pixel
          : packPixel(
              (pixel & 255) + shade,
              ((pixel >>> 8) & 255) + shade,
              ((pixel >>> 16) & 255) + shade,
              own + seen,
            );
    }
  }
}
