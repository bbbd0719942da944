// ViT-B/32 CLIP as open_clip builds it, with weights and a batch that cost no time to make.
import { createHostTensor, elementCount } from "@diptych/core";
import { createOpenClipModel } from "diptych";

export const batchSize = 32;
export const sizes = { imageBatch: batchSize, textBatch: batchSize, textTokens: 77 };

/** open_clip's ViT-B-32.json. */
export function createVitB32() {
  return createOpenClipModel({
    embed_dim: 512,
    vision_cfg: { image_size: 224, layers: 12, width: 768, patch_size: 32 },
    text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
  });
}

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

const inputs = {
  image: () => {
    const data = Float32Array.from(
      { length: batchSize * 3 * 224 * 224 },
      (_, i) => ((i * 31) % 257) / 128 - 1,
    );
    return createHostTensor("float32", [batchSize, 3, 224, 224], data);
  },
  // Each text ends with the largest id, as CLIP's end-of-text token is.
  text: () => {
    const data = Int32Array.from({ length: batchSize * 77 }, (_, i) =>
      i % 77 === 76 ? 49407 : (i * 613) % 49000,
    );
    return createHostTensor("int32", [batchSize, 77], data);
  },
  imageSample: sampleNumbers,
  textSample: sampleNumbers,
};

function sampleNumbers() {
  return createHostTensor(
    "int32",
    [batchSize],
    Int32Array.from({ length: batchSize }, (_, i) => i),
  );
}

/** Feeds by input name. */
export function batchFor(names) {
  return Object.fromEntries(names.map((name) => [name, inputs[name]()]));
}
