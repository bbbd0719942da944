import { describeEncoderContract } from "@diptych/testing";
import { createVitEncoder } from "./vit-encoder.js";

const small = { imageSize: 8, patchSize: 4, width: 8, layers: 1, heads: 2 };

describeEncoderContract({
  name: "vit",
  create: () => createVitEncoder(small, { embedDim: 6 }),
});
describeEncoderContract({
  name: "vit with mean pooling, patch dropout and LayerScale",
  create: () =>
    createVitEncoder(
      { ...small, pooling: "avg", patchDropout: 0.5, layerScale: 0.1, positions: "sinCos" },
      { embedDim: 6 },
    ),
});
for (const [what, width, attentionPool] of [
  ["by its first query", 6, { heads: 2, queries: 1 }],
  [
    "by the mean of the other queries, tokens of another width",
    8,
    { heads: 3, queries: 3, take: "avg" },
  ],
] as const) {
  describeEncoderContract({
    name: `vit with attention pooling ${what}`,
    create: () =>
      createVitEncoder(
        { ...small, width, pooling: "attention", attentionPool, normBefore: false },
        { embedDim: 6 },
      ),
  });
}
