/** Bytes to normalised float32 planes, in the roundings of torchvision's ToTensor and Normalize. */
import { DataError, type Image } from "@diptych/core";
import type { Channels3 } from "../image/image-tensor.js";

export type Normalizer = (image: Image, out: Float32Array, offset: number) => void;

/** A table of the 256 values of each channel: float32(float32(float32(x/255) − mean)/std). */
export function createNormalizer(options: {
  readonly mean: Channels3;
  readonly std: Channels3;
}): Normalizer {
  const { mean, std } = options;
  const tables = [0, 1, 2].map((c) => {
    const [middle, spread] = [Math.fround(mean[c] as number), Math.fround(std[c] as number)];
    return Float32Array.from({ length: 256 }, (_, x) =>
      Math.fround(Math.fround(Math.fround(x / 255) - middle) / spread),
    );
  }) as [Float32Array, Float32Array, Float32Array];
  return (image, out, offset) => {
    const { data, width, height } = image;
    const pixels = width * height;
    if (offset < 0 || offset + 3 * pixels > out.length) {
      throw new DataError(
        `data/evaluation: out: expected room for 3×${height}×${width} values at ${offset}, got ${out.length} in all. Give a tensor of the batch's size.`,
      );
    }
    const [red, green, blue] = tables;
    const [toGreen, toBlue] = [offset + pixels, offset + 2 * pixels];
    for (let i = 0, j = 0; i < pixels; i++, j += 3) {
      out[offset + i] = red[data[j] as number] as number;
      out[toGreen + i] = green[data[j + 1] as number] as number;
      out[toBlue + i] = blue[data[j + 2] as number] as number;
    }
  };
}
