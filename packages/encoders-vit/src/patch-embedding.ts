/** Patches as tokens: a convolution with kernel = stride = patch, written as one matrix product. */
import {
  checkShapes,
  matmul,
  reshape,
  torchDefault,
  transpose,
  type BuildContext,
  type Value,
} from "@diptych/core";
import type { VitSettings } from "./config.js";

/**
 * Tokens of a picture, row by row: conv1 without bias (`conv1.weight` [width, channels, patch, patch]; arXiv:2010.11929
 * eq. 1). Patches do not overlap, so the convolution is a product of rearranged pixels, which gives tokens in order and
 * a gradient that is a product too.
 *
 * @param image [batch, channels, imageHeight, imageWidth]
 * @returns [batch, gridHeight·gridWidth, width]
 * @throws ShapeError where the picture has another size than the settings say.
 */
export function buildPatchEmbedding(
  { scope }: BuildContext,
  image: Value,
  settings: Pick<VitSettings, "imageHeight" | "imageWidth" | "channels" | "patchSize" | "width">,
): Value {
  const { imageHeight, imageWidth, channels, patchSize, width } = settings;
  const { batch } = checkShapes("encoders-vit/buildPatchEmbedding", [
    image,
    "image",
    ["batch", channels, imageHeight, imageWidth],
  ]);
  const [rows, columns] = [imageHeight / patchSize, imageWidth / patchSize];
  const pixels = channels * patchSize * patchSize;
  const weight = scope.child("conv1").parameter("weight", [width, channels, patchSize, patchSize], {
    initializer: torchDefault(pixels),
  });
  const cut = reshape(image, [batch, channels, rows, patchSize, columns, patchSize]);
  const patches = reshape(transpose(cut, [0, 2, 4, 1, 3, 5]), [batch, rows * columns, pixels]);
  return matmul(patches, reshape(weight, [width, pixels]), { transposeB: true });
}
