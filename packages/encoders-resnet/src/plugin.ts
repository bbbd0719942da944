/** The plugin: the paper's ResNet, `modified-resnet`, and one for small pictures, `compact-resnet`. */
import { definePlugin, imageEncoder } from "@diptych/core/plugin";
import { createResolvedCompactResNet } from "./compact-resnet-encoder.js";
import { compactResNetSchema } from "./config.js";
import { modifiedResNetSchema } from "./modified-resnet-config.js";
import { createResolvedModifiedResNet } from "./modified-resnet-encoder.js";

export const resnetPlugin = definePlugin({
  name: "@diptych/encoders-resnet",
  contract: 1,
  provides: [
    imageEncoder("modified-resnet", {
      summary: "CLIP's ResNet (RN50, RN101, RN50x4, RN50x16, RN50x64 or any size)",
      schema: modifiedResNetSchema,
      create: createResolvedModifiedResNet,
    }),
    imageEncoder("compact-resnet", {
      summary: "a small residual tower for small pictures",
      schema: compactResNetSchema,
      create: createResolvedCompactResNet,
    }),
  ],
});
