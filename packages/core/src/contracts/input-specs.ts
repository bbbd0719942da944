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

/** Name of the auxiliary input that says which sample of the batch each row of a modality comes from. */
export function itemInputName(modality: string): string {
  return `${modality}Item`;
}

/**
 * Places of samples: int32 [<modality>Batch]; rows with equal numbers come from one sample of the batch (its pictures, its
 * captions), where equal sample numbers may also be two samples of one concept.
 */
export function itemInput(modality: string): InputSpec {
  return batchNumbers(itemInputName(modality), modality);
}

/** Sample numbers: int32 [<modality>Batch]; rows with equal numbers show the same concept. */
export function sampleInput(modality: string): InputSpec {
  return batchNumbers(sampleInputName(modality), modality);
}

function batchNumbers(name: string, modality: string): InputSpec {
  return Object.freeze({
    name,
    shape: Object.freeze([symbolDim(`${modality}Batch`)]),
    dtype: "int32",
  });
}
