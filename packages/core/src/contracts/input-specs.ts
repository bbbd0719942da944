/** Inputs that the loader feeds, under the names and symbols on which towers, losses and loader agree. */
import { symbolDim } from "../tensor/dim.js";
import type { InputSpec } from "./encoder.js";

/** Height, width and channels of the pictures that a tower reads. */
export interface ImageInputSize {
  readonly imageHeight: number;
  readonly imageWidth: number;
  /** 3 by default. */
  readonly channels?: number;
}

/**
 * Pictures of a modality: float32 [<modality>Batch, channels, imageHeight, imageWidth], named after it.
 *
 * @param size A number for squares of three channels.
 */
export function imageInput(size: number | ImageInputSize, modality: string = "image"): InputSpec {
  const {
    imageHeight,
    imageWidth,
    channels = 3,
  } = typeof size === "number" ? { imageHeight: size, imageWidth: size } : size;
  return Object.freeze({
    name: modality,
    shape: Object.freeze([symbolDim(`${modality}Batch`), channels, imageHeight, imageWidth]),
    dtype: "float32",
  });
}

/** Name of the auxiliary input that numbers the samples of a modality. */
export function sampleInputName(modality: string): string {
  return `${modality}Sample`;
}

/** Sample numbers: int32 [<modality>Batch]; rows with equal numbers show the same concept. */
export function sampleInput(modality: string): InputSpec {
  return Object.freeze({
    name: sampleInputName(modality),
    shape: Object.freeze([symbolDim(`${modality}Batch`)]),
    dtype: "int32",
  });
}
