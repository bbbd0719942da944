// CLIP models as open_clip builds them, with weights and batches that cost no time to make.
import { createHostTensor, elementCount } from "@diptych/core";
import { createOpenClipModel, openClipConfigs } from "diptych";

export const batchSize = 32;
export const sizes = { imageBatch: batchSize, textBatch: batchSize, textTokens: 77 };

const vitB32 = openClipConfigs["ViT-B-32"];

export const createVitB32 = () => createOpenClipModel(vitB32);

/** Values of the right size for each parameter; which ones does not change how long a step takes. */
export function firstValues(parameters) {
  return new Map(
    parameters.map(({ name, shape, initializer }) => {
      const data = new Float32Array(elementCount(shape));
      if (initializer.kind === "ones") data.fill(1);
      else if (initializer.kind === "constant") data.fill(initializer.value);
      else if (initializer.kind !== "zeros") {
        const width = initializer.std ?? initializer.high ?? 0.02;
        for (let i = 0; i < data.length; i += 1)
          data[i] = (((i * 7919) % 1009) / 1009 - 0.5) * width;
      }
      return [name, createHostTensor("float32", shape, data)];
    }),
  );
}

/** Sizes of the symbols of a model's batch. */
export function batchSizes({ text_cfg }, batch) {
  return { imageBatch: batch, textBatch: batch, textTokens: text_cfg.context_length };
}

/** Feeds of a model by input name. Each text ends with the largest id, as CLIP's end-of-text token is. */
export function batchFor(names, { config = vitB32, batch = batchSize } = {}) {
  const { image_size: size } = config.vision_cfg;
  const { context_length: tokens, vocab_size: vocab } = config.text_cfg;
  const sampleNumbers = () =>
    createHostTensor(
      "int32",
      [batch],
      Int32Array.from({ length: batch }, (_, i) => i),
    );
  const inputs = {
    image: () => {
      const data = Float32Array.from(
        { length: batch * 3 * size * size },
        (_, i) => ((i * 31) % 257) / 128 - 1,
      );
      return createHostTensor("float32", [batch, 3, size, size], data);
    },
    text: () => {
      const data = Int32Array.from({ length: batch * tokens }, (_, i) =>
        i % tokens === tokens - 1 ? vocab - 1 : (i * 613) % (vocab - 2),
      );
      return createHostTensor("int32", [batch, tokens], data);
    },
    imageSample: sampleNumbers,
    textSample: sampleNumbers,
  };
  return Object.fromEntries(names.map((name) => [name, inputs[name]()]));
}
