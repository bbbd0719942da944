/** The JSON files of a transformers.js folder: model, pictures, tokenizer. */
import { ConfigError, type MultiEncoder, type Tokenizer } from "@diptych/core";
import type { EvaluationSettings } from "@diptych/data";
import { toHuggingFaceTokenizer, type BpeTokenizer } from "@diptych/text-transformer";

type Json = Readonly<Record<string, unknown>>;

/** How pictures become the image tower's input; the part of it that transformers.js can be told. */
export type PictureSettings = Pick<
  EvaluationSettings,
  "imageHeight" | "imageWidth" | "mean" | "std" | "resizeMode" | "interpolation"
>;

/** Pillow's numbers. */
const RESAMPLE = { bilinear: 2, bicubic: 3 } as const;

/** `preprocessor_config.json`. @throws ConfigError on what transformers.js has no words for. */
export function preprocessorConfig(settings: PictureSettings): Json {
  const { imageHeight, imageWidth, mean, std, resizeMode, interpolation } = settings;
  const exact = { height: imageHeight, width: imageWidth };
  if (resizeMode === "longest" || (resizeMode === "shortest" && imageHeight !== imageWidth)) {
    throw new ConfigError(
      `diptych/exportTransformersJs: pictures: expected a square crop or resizeMode "squash", got "${resizeMode}" to ${imageHeight} × ${imageWidth}, which transformers.js has no words for. Export the towers' graphs with exportOnnxModel, and prepare pictures in your own code.`,
    );
  }
  const sizes =
    resizeMode === "shortest"
      ? { size: { shortest_edge: imageHeight }, do_center_crop: true, crop_size: exact }
      : { size: exact, do_center_crop: false };
  return {
    image_processor_type: "CLIPImageProcessor",
    do_convert_rgb: true,
    do_resize: true,
    resample: RESAMPLE[interpolation],
    ...sizes,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
}

/** `tokenizer.json` and `tokenizer_config.json`. @throws ConfigError on a tokenizer that the format cannot say. */
export function tokenizerFiles(tokenizer: Tokenizer): {
  readonly tokenizerJson: Json;
  readonly tokenizerConfig: Json;
  readonly exact: boolean;
} {
  if (!isBytePair(tokenizer)) {
    throw new ConfigError(
      `diptych/exportTransformersJs: tokenizer: expected a byte-pair one, got "${tokenizer.name}", which Hugging Face's format cannot say. Train with bpe(), or export the towers' graphs with exportOnnxModel.`,
    );
  }
  const { tokenizerJson, tokenizerConfig, exact } = toHuggingFaceTokenizer(tokenizer);
  const padding = nameOfId(tokenizerJson, tokenizer.special.pad);
  // Towers that average tokens leave out this id and no other.
  return { tokenizerJson, tokenizerConfig: { ...tokenizerConfig, pad_token: padding }, exact };
}

/** Whether a tokenizer is a byte-pair one, whole or cut. */
export function isBytePair(tokenizer: Tokenizer): tokenizer is BpeTokenizer {
  return "originalIds" in tokenizer;
}

function nameOfId(tokenizerJson: Json, id: number): string {
  const { vocab } = tokenizerJson["model"] as { readonly vocab: Readonly<Record<string, number>> };
  const name = Object.entries(vocab).findLast(([, known]) => known === id)?.[0];
  if (name !== undefined) return name;
  throw new ConfigError(
    `diptych/exportTransformersJs: tokenizer: expected its padding id ${id} in the vocabulary, got none.`,
  );
}

export interface ModelConfigOptions {
  readonly tokenizer: Tokenizer;
  /** Which of the files a reader takes unless told otherwise. */
  readonly dtype: string;
  /** The same in browsers without WebGPU. */
  readonly wasmDtype: string;
  /** Data files beside a model, by the model's name. */
  readonly externalData: Readonly<Record<string, number>>;
}

/** `config.json`: transformers.js reads the type and its own settings; the sizes are for people and other tools. */
export function modelConfig(model: MultiEncoder, options: ModelConfigOptions): Json {
  const { tokenizer, dtype, wasmDtype, externalData } = options;
  const { image, text } = model.encoders;
  const external = Object.keys(externalData).length > 0;
  return {
    model_type: "clip",
    architectures: ["CLIPModel"],
    projection_dim: model.embedDim,
    logit_scale_init_value: model.logitScale.initial,
    vision_config: {
      model_type: "clip_vision_model",
      projection_dim: model.embedDim,
      image_size: image?.facts["imageHeight"],
      patch_size: image?.facts["patchSize"],
    },
    text_config: {
      model_type: "clip_text_model",
      projection_dim: model.embedDim,
      vocab_size: text?.facts["vocab"],
      max_position_embeddings: text?.facts["contextLength"],
      bos_token_id: tokenizer.special.start,
      eos_token_id: tokenizer.special.end,
      pad_token_id: tokenizer.special.pad,
    },
    "transformers.js_config": {
      dtype,
      device_config: { wasm: { dtype: wasmDtype } },
      ...(external ? { use_external_data_format: externalData } : {}),
    },
  };
}
