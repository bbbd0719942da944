/** Filters on premultiplied pictures: blur, sharpen, and a dark outline around what is drawn. */
import { clearBorder, rowStart, type PictureBuffer } from "./picture-buffer.js";

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
  else clearBorder(source);
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

/**
 * Draws the picture over its own silhouette grown by one pixel in `grey` (0–255): drawings get the line that outlined
 * styles have.
 */
export function outline(source: PictureBuffer, out: PictureBuffer, grey: number): void {
  const { stride, data, width, height } = source;
  const target = out.data;
  const shade = grey / 255;
  for (let y = 0; y < height; y++) {
    const start = rowStart(source, y);
    for (let i = start; i < start + width * 4; i += 4) {
      const own = data[i + 3] as number;
      let grown = own;
      if (own < 255) {
        for (let row = i + 3 - stride; row <= i + 3 + stride; row += stride) {
          const a = data[row - 4] as number;
          const b = data[row] as number;
          const c = data[row + 4] as number;
          if (a > grown) grown = a;
          if (b > grown) grown = b;
          if (c > grown) grown = c;
        }
      }
      const seen = grown * (1 - own / 255);
      target[i] = (data[i] as number) + seen * shade;
      target[i + 1] = (data[i + 1] as number) + seen * shade;
      target[i + 2] = (data[i + 2] as number) + seen * shade;
      target[i + 3] = own + seen;
    }
  }
  clearBorder(out);
}
