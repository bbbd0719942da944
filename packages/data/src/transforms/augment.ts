/** The augmentation of one picture: outline, warp with colour, filter, background, erasing; fast enough for small pictures to run beside the training step. */
import type { Image, ImageTransform, Random } from "@diptych/core";
import { resizeImage, type TargetSize } from "../image/resize-image.js";
import { drawColorMatrix } from "./color-matrix.js";
import type { AugmentConfig } from "./config.js";
import { blurOrSharpen, outline } from "./filters.js";
import { cover, flatten, type Color } from "./flatten.js";
import {
  createPackedBuffer,
  createPictureBuffer,
  loadPicture,
  type PackedBuffer,
  type PictureBuffer,
} from "./picture-buffer.js";
import { drawAffine, warp } from "./warp.js";

const WHITE: Color = [255, 255, 255];
/** Outlines are this dark at most. */
const DARKEST_TO = 64;
/** Light backgrounds are at least this light. */
const LIGHTEST_FROM = 190;
/** Sides of what is erased, as shares of the picture's. */
const ERASED_FROM = 0.15;
const ERASED_TO = 0.4;

/**
 * The augmentation as a transform to `target` size, which a picture of another size is resized to first. Alpha is
 * kept premultiplied until the background is drawn; the result is RGB. All chance comes from `random`.
 */
export function createAugmentTransform(config: AugmentConfig, target: TargetSize): ImageTransform {
  const { imageWidth, imageHeight } = target;
  // Reused between pictures: augmenting is synchronous from the first write to the last read.
  const buffers: Buffers = {
    drawing: createPackedBuffer(imageWidth, imageHeight),
    outlined: createPackedBuffer(imageWidth, imageHeight),
    warped: createPictureBuffer(imageWidth, imageHeight),
    filtered: createPictureBuffer(imageWidth, imageHeight),
  };
  return Object.freeze({
    name: "augment",
    apply: (image: Image, random: Random): Image | Promise<Image> =>
      image.width === imageWidth && image.height === imageHeight
        ? augmentImage(image, random, config, buffers)
        : resizeImage(image, target).then((resized) =>
            augmentImage(resized, random, config, buffers),
          ),
  });
}

interface Buffers {
  readonly drawing: PackedBuffer;
  readonly outlined: PackedBuffer;
  readonly warped: PictureBuffer;
  readonly filtered: PictureBuffer;
}

function augmentImage(
  image: Image,
  random: Random,
  config: AugmentConfig,
  buffers: Buffers,
): Image {
  // Opaque pictures have no silhouette, and go on beyond their edge.
  const opaque = image.channels !== 4;
  loadPicture(image, buffers.drawing);
  let drawing = buffers.drawing;
  if (!opaque && random.next() < config.outline) {
    outline(drawing, buffers.outlined, random.integer(DARKEST_TO));
    drawing = buffers.outlined;
  }
  const affine = drawAffine(config, random, drawing);
  warp(drawing, buffers.warped, { affine, color: drawColorMatrix(config, random), extend: opaque });
  let picture = buffers.warped;
  if (random.next() < config.filter) {
    const amount = random.next() < 0.5 ? random.next() : -1.5 * random.next();
    blurOrSharpen(picture, buffers.filtered, { amount, extend: opaque });
    picture = buffers.filtered;
  }
  const tinted = !opaque && random.next() < config.tint;
  const background = tinted ? drawColor(random, LIGHTEST_FROM, 255) : WHITE;
  const flat = flatten(picture, background);
  if (random.next() < config.erase) erase(flat, random, background);
  return flat;
}

/** Covers a rectangle, half the time with the background, else with any colour. */
function erase(image: Image, random: Random, background: Color): void {
  const side = (length: number): number =>
    Math.max(1, Math.round(length * (ERASED_FROM + (ERASED_TO - ERASED_FROM) * random.next())));
  const width = side(image.width);
  const height = side(image.height);
  const left = random.integer(image.width - width + 1);
  const top = random.integer(image.height - height + 1);
  const color = random.next() < 0.5 ? background : drawColor(random, 0, 255);
  cover(image, { left, top, width, height }, color);
}

function drawColor(random: Random, from: number, to: number): Color {
  const channel = (): number => from + random.integer(to - from + 1);
  return [channel(), channel(), channel()];
}
