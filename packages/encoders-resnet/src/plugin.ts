/** The plugin: one image encoder, `compact-resnet`. */
import { definePlugin, imageEncoder } from "@diptych/core/plugin";
import { createResolvedCompactResNet } from "./compact-resnet-encoder.js";
import { compactResNetSchema } from "./config.js";

export const resnetPlugin = definePlugin({
  name: "@diptych/encoders-resnet",
  contract: 1,
  provides: [
    imageEncoder("compact-resnet", {
      summary: "a small residual tower for small pictures",
      schema: compactResNetSchema,
      create: createResolvedCompactResNet,
    }),
  ],
});
