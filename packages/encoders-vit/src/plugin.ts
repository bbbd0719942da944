/** The plugin: one image encoder, `vit`. */
import { definePlugin, imageEncoder } from "@diptych/core/plugin";
import { vitSchema } from "./config.js";
import { createResolvedVit } from "./vit-encoder.js";

export const vitPlugin = definePlugin({
  name: "@diptych/encoders-vit",
  contract: 1,
  provides: [
    imageEncoder("vit", {
      summary: "CLIP's vision transformer (B/32, B/16, L/14, … or any size)",
      schema: vitSchema,
      create: (settings, { embedDim, modality }) =>
        createResolvedVit(settings, { embedDim, modality }),
    }),
  ],
});
