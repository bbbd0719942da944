/** The three models of a CLIP folder as transformers.js reads it: both towers, and the two together with their similarities. */
import {
  add,
  buildEncoders,
  ConfigError,
  createGraph,
  exp,
  matmul,
  mul,
  type BuiltModel,
  type Graph,
  type MultiEncoder,
  type Value,
} from "@diptych/core";
import type { OnnxModelOptions } from "@diptych/backend-onnx";

type NamedValues = Readonly<Record<string, Value>>;

/** One file of the folder, without its dtype. */
export interface ModelGraph {
  readonly file: "model" | "text_model" | "vision_model";
  readonly graph: Graph;
  readonly finish?: NonNullable<OnnxModelOptions["finish"]>;
}

/** Names and types in the files. */
export const FILE_NAMES = Object.freeze({
  inputNames: { image: "pixel_values", text: "input_ids" },
  int64Inputs: ["text"],
  sizeNames: {
    imageBatch: "image_batch_size",
    textBatch: "text_batch_size",
    textTokens: "sequence_length",
  },
});

/**
 * Hugging Face's conventions: the towers' own files give features as they are pooled, the combined one features of
 * length 1.
 *
 * @throws ConfigError where the model has not one image and one text tower, or texts of one length only.
 */
export function buildModelGraphs(model: MultiEncoder): readonly ModelGraph[] {
  checkTowers(model);
  const built = buildEncoders({ ...model, mode: "eval" });
  const [image, text] = [built.encoded["image"], built.encoded["text"]].map(
    (tower) => tower?.pooled,
  );
  const { image: imageRows, text: textRows } = built.normalized;
  if (!image || !text || !imageRows || !textRows) throw towerError(Object.keys(model.encoders));
  const towers = { image_embeds: imageRows, text_embeds: textRows };
  return [
    {
      file: "model",
      graph: createGraph("clip", towers),
      finish: (outputs) => withLogits(outputs, built),
    },
    { file: "text_model", graph: createGraph("clip-text", { text_embeds: text }) },
    { file: "vision_model", graph: createGraph("clip-vision", { image_embeds: image }) },
  ];
}

function withLogits(outputs: NamedValues, { logitScale, logitBias }: BuiltModel): NamedValues {
  const { image_embeds: image, text_embeds: text } = outputs;
  if (!image || !text) return outputs;
  const logits = (from: Value, to: Value): Value => {
    const scaled = matmul(mul(from, exp(logitScale)), to, { transposeB: true });
    return logitBias ? add(scaled, logitBias) : scaled;
  };
  return {
    logits_per_image: logits(image, text),
    logits_per_text: logits(text, image),
    text_embeds: text,
    image_embeds: image,
  };
}

function checkTowers({ encoders }: MultiEncoder): void {
  const names = Object.keys(encoders);
  if (names.toSorted().join() !== "image,text") throw towerError(names);
  const tokens = encoders["text"]?.inputs[0]?.shape[1];
  if (typeof tokens !== "number") return;
  throw new ConfigError(
    `diptych/exportTransformersJs: text tower: expected one that takes texts of any length, as transformers.js pads to the longest one only, got one of ${tokens} tokens (pooling "last"). Export its graph with exportOnnxModel, and pad in your own code.`,
  );
}

function towerError(names: readonly string[]): ConfigError {
  return new ConfigError(
    `diptych/exportTransformersJs: model: expected the towers image and text, got ${names.join(", ")}. Export each tower's graph with exportOnnxModel.`,
  );
}
