/** Datasets, image decoding, transforms and the loader. */
export { encodePng } from "./image/encode-png.js";
export { encodeThumbnail, type ThumbnailOptions } from "./image/encode-thumbnail.js";
export { decodeImage, DEFAULT_PIXEL_LIMIT, type DecodeOptions } from "./image/decode-image.js";
export {
  prepareImages,
  toTensor,
  writeImage,
  type Channels3,
  type NormalizeOptions,
  type PrepareOptions,
} from "./image/image-tensor.js";
export { type ImageSource } from "./image/decode-raster.js";
export { mixImages } from "./image/mix-images.js";
export { resizeImage, type ResizeMode, type TargetSize } from "./image/resize-image.js";
export { createResizeTransform, resize, type ResizeConfig } from "./image/resize-transform.js";

export {
  createEvaluationTransform,
  type EvaluationTransform,
} from "./evaluation/evaluation-transform.js";
export { type EvaluationResizeMode } from "./evaluation/geometry.js";
export {
  createImagePipeline,
  type ImagePipeline,
  type PipelineOptions,
  type PrepareCall,
} from "./evaluation/image-pipeline.js";
export {
  evaluationSchema,
  evaluationSettingsFrom,
  resolveEvaluationSettings,
  type EvaluationOptions,
  type EvaluationSettings,
} from "./evaluation/settings.js";
export { type Interpolation } from "./evaluation/taps.js";

export { emoji, emojiSchema, type EmojiConfig } from "./datasets/emoji/config.js";
export { captionsOf, drawCaption, type CaptionMix } from "./datasets/emoji/captions.js";
export type { EmojiConcept } from "./datasets/emoji/concepts.js";
export {
  createEmojiDataset,
  emojiMembership,
  loadEmojiDataset,
  type EmojiDataset,
} from "./datasets/emoji/emoji-dataset.js";
export { loadEmojiSet, type EmojiSet, type EmojiSetOptions } from "./datasets/emoji/emoji-set.js";
export {
  EMOJI_ATTRIBUTION,
  EMOJI_FAMILIES,
  TRAINING_FAMILIES,
  type EmojiFamily,
} from "./datasets/emoji/families.js";
export { emojiPixelBaseline } from "./datasets/emoji/pixel-baseline.js";
export {
  pixelNearestNeighbour,
  type LabelledImage,
  type NeighbourResult,
} from "./datasets/emoji/pixel-neighbour.js";
export type { Membership } from "./datasets/emoji/splits.js";
export {
  imageFolder,
  imageFolderSchema,
  type ImageFolderConfig,
} from "./datasets/image-folder/config.js";
export {
  loadImageFolder,
  type ImageFolderDataset,
} from "./datasets/image-folder/image-folder-dataset.js";
export { readFolder, type FolderContent } from "./datasets/image-folder/list-images.js";
export { jsonl, jsonlSchema, type JsonlConfig } from "./datasets/jsonl/config.js";
export { loadJsonl, type JsonlDataset } from "./datasets/jsonl/jsonl-dataset.js";

export { createAugmentTransform } from "./transforms/augment.js";
export { augment, augmentSchema, type AugmentConfig } from "./transforms/config.js";

export type { Feeds } from "./loader/assemble.js";
export type { ImageView, TextView } from "./loader/batch-views.js";
export {
  createLoader,
  type Batch,
  type Loader,
  type LoaderOptions,
} from "./loader/create-loader.js";

export { dataPlugin } from "./plugin.js";
