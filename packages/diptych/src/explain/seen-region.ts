/** Which part of a picture its model sees after the evaluation transform. */
import type { EvaluationSettings } from "@diptych/data";

/** In pixels of the picture; beyond its border where the transform fills around it. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * `squash`: all of it. `longest`: all of it and the filled border. Else the centre of the target's proportions: resizing
 * the shorter side and cropping the centre keeps that (to the rounding of a pixel).
 */
export function seenRegion(
  { width, height }: PictureSize,
  {
    imageWidth,
    imageHeight,
    resizeMode,
  }: Pick<EvaluationSettings, "imageWidth" | "imageHeight" | "resizeMode">,
): Region {
  if (resizeMode === "squash") return { left: 0, top: 0, width, height };
  const pick = resizeMode === "longest" ? Math.max : Math.min;
  const scale = pick(width / imageWidth, height / imageHeight);
  const seen = { width: imageWidth * scale, height: imageHeight * scale };
  return { left: (width - seen.width) / 2, top: (height - seen.height) / 2, ...seen };
}
