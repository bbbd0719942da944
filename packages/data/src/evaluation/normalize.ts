/** Bytes to normalised float32 planes, in the roundings of torchvision's ToTensor and Normalize. */
import { DataError, type Image } from "@diptych/core";
import type { Channels3 } from "../image/image-tensor.js";
import { alignBytes, loadPixelProgram, reserveMemory, type PixelProgram } from "./pixel-program.js";

/** Writes an RGB picture as planes at `offset` of `out`. */
export type Normalizer = (image: Image, out: Float32Array, offset: number) => void;

/** Pixels that the program normalises at once. */
const BLOCK = 16;

/** float32(float32(float32(x/255) − mean)/std): equal to PyTorch's, bit for bit. */
export function createNormalizer(options: {
  readonly mean: Channels3;
  readonly std: Channels3;
}): Normalizer {
  const settings = new Uint8Array(Float32Array.of(...options.mean, ...options.std).buffer);
  let program: PixelProgram | undefined;
  return (image, out, offset) => {
    const { data, width, height } = image;
    const pixels = width * height;
    if (offset < 0 || offset + 3 * pixels > out.length) {
      throw new DataError(
        `data/evaluation: out: expected room for 3×${height}×${width} values at ${offset}, got ${out.length} in all. Give a tensor of the batch's size.`,
      );
    }
    const blocks = Math.ceil(pixels / BLOCK);
    const sourceAt = alignBytes(settings.length);
    const targetAt = sourceAt + blocks * BLOCK * 3;
    const plane = blocks * BLOCK;
    program ??= loadPixelProgram();
    const memory = reserveMemory(program, targetAt + 3 * 4 * plane);
    memory.set(settings);
    memory.set(data, sourceAt);
    program.normalize(sourceAt, targetAt, blocks, 4 * plane, 0);
    const values = new Float32Array(memory.buffer, targetAt, 3 * plane);
    for (let c = 0; c < 3; c++) {
      out.set(values.subarray(c * plane, c * plane + pixels), offset + c * pixels);
    }
  };
}
