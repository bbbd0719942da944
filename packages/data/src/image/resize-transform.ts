/** The evaluation transform as a plugin: resize to the model's size, nothing random. */
import type { ImageTransform } from "@diptych/core";
import { partConstructor } from "@diptych/core/plugin";
import { z } from "zod";
import { resizeImage, type TargetSize } from "./resize-image.js";

export const resizeSchema = z.strictObject({
  /** `crop`: shortest side to size, then the centre (CLIP). `squash`: both sides to size. */
  mode: z.enum(["crop", "squash"]).default("crop"),
});

export type ResizeConfig = z.output<typeof resizeSchema>;

export function createResizeTransform(config: ResizeConfig, target: TargetSize): ImageTransform {
  return Object.freeze({
    name: "resize",
    apply: (image) => resizeImage(image, target, config.mode),
  } satisfies ImageTransform);
}

/** The resize transform in a configuration: `resize({ mode: "squash" })`. */
export const resize = partConstructor("resize", resizeSchema);
