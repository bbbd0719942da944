/** preprocessor_config.json of Hugging Face transformers' CLIPImageProcessor as open_clip's `preprocess_cfg`, and back. */
import { z } from "zod";
import { parseHuggingFace } from "./hugging-face-config.js";
import type { OpenClipPreprocessConfig } from "./open-clip-config.js";

const size = z.int().min(1).max(1_000_000);
const sizes = z.union([
  size,
  z.looseObject({ shortest_edge: size }),
  z.looseObject({ height: size, width: size }),
]);
const triple = z.tuple([z.number(), z.number(), z.number()]);
const preprocessorSchema = z.looseObject({
  size: sizes.optional(),
  crop_size: sizes.optional(),
  do_center_crop: z.boolean().default(true),
  image_mean: triple.optional(),
  image_std: triple.optional(),
  resample: z.int().default(3),
});
/** Pillow's numbers of filters. */
const FILTERS: Readonly<Record<number, string>> = {
  0: "nearest",
  1: "lanczos",
  2: "bilinear",
  3: "bicubic",
};

/** `preprocess_cfg` of a preprocessor_config.json. @throws CheckpointError where it is damaged. */
export function fromPreprocessorConfig(path: string, json: unknown): OpenClipPreprocessConfig {
  const {
    size: target,
    do_center_crop,
    image_mean,
    image_std,
    resample,
  } = parseHuggingFace(path, preprocessorSchema, json);
  const isShortest = typeof target !== "object" || "shortest_edge" in target;
  return Object.freeze({
    ...(image_mean ? { mean: image_mean } : {}),
    ...(image_std ? { std: image_std } : {}),
    interpolation: FILTERS[resample] ?? "bicubic",
    resize_mode: isShortest && do_center_crop ? "shortest" : "squash",
  });
}

/** The preprocessor_config.json for open_clip's `preprocess_cfg` at a picture size. */
export function toPreprocessorConfig(
  imageSize: number,
  {
    mean,
    std,
    interpolation = "bicubic",
    resize_mode: mode = "shortest",
  }: OpenClipPreprocessConfig,
): object {
  const filter = Object.keys(FILTERS).find((key) => FILTERS[Number(key)] === interpolation);
  const exact = { height: imageSize, width: imageSize };
  return {
    image_processor_type: "CLIPImageProcessor",
    do_convert_rgb: true,
    do_resize: true,
    size: mode === "squash" ? exact : { shortest_edge: imageSize },
    resample: filter === undefined ? 3 : Number(filter),
    do_center_crop: mode !== "squash",
    crop_size: exact,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
}
