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
