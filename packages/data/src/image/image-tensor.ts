/** Pictures as float32 [batch, 3, height, width]: background, scaling, mean and standard deviation in one pass. */
import {
  createHostTensor,
  DataError,
  CLIP_MEAN,
  CLIP_STD,
  type HostTensor,
  type Image,
} from "@diptych/core";
import { resizeImage, type ResizeMode, type TargetSize } from "./resize-image.js";

export type Channels3 = readonly [number, number, number];

export interface NormalizeOptions {
  /** Of values in [0, 1]; default CLIP's. */
  readonly mean?: Channels3;
  readonly std?: Channels3;
  /** What transparent pixels show, 0–255; default white. */
  readonly background?: Channels3;
}

const WHITE: Channels3 = [255, 255, 255];

/**
 * Writes (pixel/255 − mean)/std of `image` at `offset` of `out`: planes R, G, B of height·width values. Grey repeats
 * its channel; alpha is drawn over the background.
 *
 * @throws DataError when `out` is too short.
 */
export function writeImage(
  image: Image,
  out: Float32Array,
  offset: number,
  options: NormalizeOptions = {},
): void {
  const { data, channels } = image;
  const pixels = image.width * image.height;
  if (offset < 0 || offset + 3 * pixels > out.length) {
    throw new DataError(
      `data/writeImage: out: expected room for 3×${image.height}×${image.width} values at ${offset}, got ${out.length} in all. Resize the picture to the batch's size first.`,
    );
  }
  const { mean = CLIP_MEAN, std = CLIP_STD, background = WHITE } = options;
  for (let c = 0; c < 3; c++) {
    const scale = 1 / (255 * (std[c] ?? 1));
    const shift = -(mean[c] ?? 0) / (std[c] ?? 1);
    const plane = offset + c * pixels;
    const from = channels === 1 ? 0 : c;
    if (channels === 4) {
      const behind = background[c] ?? 255;
      for (let i = 0, j = from, a = 3; i < pixels; i++, j += 4, a += 4) {
        const share = (data[a] as number) / 255;
        out[plane + i] = (((data[j] as number) - behind) * share + behind) * scale + shift;
      }
    } else {
      for (let i = 0, j = from; i < pixels; i++, j += channels) {
        out[plane + i] = (data[j] as number) * scale + shift;
      }
    }
  }
}

/** One picture as float32 [3, height, width]. */
export function toTensor(image: Image, options: NormalizeOptions = {}): HostTensor<"float32"> {
  const data = new Float32Array(3 * image.width * image.height);
  writeImage(image, data, 0, options);
  return createHostTensor("float32", [3, image.height, image.width], data);
}

export interface PrepareOptions extends TargetSize, NormalizeOptions {
  /** Default "crop". */
  readonly resize?: ResizeMode;
}

/** Pictures of any sizes, resized, as float32 [pictures, 3, imageHeight, imageWidth]: the evaluation transform. */
export async function prepareImages(
  images: readonly Image[],
  options: PrepareOptions,
): Promise<HostTensor<"float32">> {
  const { imageHeight, imageWidth } = options;
  const size = 3 * imageHeight * imageWidth;
  const data = new Float32Array(images.length * size);
  await Promise.all(
    images.map(async (image, i) => {
      writeImage(await resizeImage(image, options, options.resize), data, i * size, options);
    }),
  );
  return createHostTensor("float32", [images.length, 3, imageHeight, imageWidth], data);
}
