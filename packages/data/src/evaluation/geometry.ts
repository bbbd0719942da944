/** Sizes and offsets of the evaluation transform, rounded as torchvision's and open_clip's (open_clip/transform.py). */
import { DataError } from "@diptych/core";
import type { Region, Size } from "./resampler.js";

/**
 * `shortest`: the shorter side to size, then the centre (CLIP). `longest`: the longer side to size, the rest filled.
 * `squash`: both sides to size (SigLIP).
 */
export type EvaluationResizeMode = "shortest" | "longest" | "squash";

/** What to keep of the resized picture, and where that goes in the result; around it is filled. */
export interface Placement extends Region {
  readonly targetLeft: number;
  readonly targetTop: number;
}

/** @throws DataError when a side would be resized to nothing. */
export function placePicture(source: Size, target: Size, mode: EvaluationResizeMode): Placement {
  const resized = resizedSize(source, target, mode);
  if (resized.width < 1 || resized.height < 1) {
    throw new DataError(
      `data/evaluation: image: expected sides that stay at least 1 pixel, got ${source.width}×${source.height}, which "${mode}" makes ${resized.width}×${resized.height}. Crop the picture, or use resizeMode "squash".`,
    );
  }
  const across = placeAxis(resized.width, target.width);
  const down = placeAxis(resized.height, target.height);
  return {
    resizedWidth: resized.width,
    resizedHeight: resized.height,
    left: across.from,
    top: down.from,
    width: across.length,
    height: down.length,
    targetLeft: across.to,
    targetTop: down.to,
  };
}

function resizedSize(source: Size, target: Size, mode: EvaluationResizeMode): Size {
  const { width, height } = source;
  if (mode === "squash") return target;
  if (mode === "shortest" && target.width === target.height) {
    const size = target.width;
    return width <= height
      ? { width: size, height: Math.floor((size * height) / width) }
      : { width: Math.floor((size * width) / height), height: size };
  }
  const pick = mode === "longest" ? Math.max : Math.min;
  const ratio = pick(height / target.height, width / target.width);
  return { width: roundHalfEven(width / ratio), height: roundHalfEven(height / ratio) };
}

/** The middle `size` of `length`, or all of it in the middle of `size`. */
function placeAxis(length: number, size: number): { from: number; to: number; length: number } {
  if (length < size) return { from: 0, to: Math.floor((size - length) / 2), length };
  return { from: roundHalfEven((length - size) / 2), to: 0, length: size };
}

/** Python's round: halves to the even number. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const part = value - floor;
  if (part !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
