/** What this package provides to configurations. */
import { definePlugin, optimizer, schedule, type Plugin } from "@diptych/core/plugin";
import { createAdamw } from "./optimizers/adamw.js";
import { adamwSchema, sgdSchema } from "./optimizers/config.js";
import { createSgd } from "./optimizers/sgd.js";
import { constantSchema, cosineSchema } from "./schedules/config.js";
import { createConstant } from "./schedules/constant.js";
import { createCosine } from "./schedules/cosine.js";

export const trainingPlugin: Plugin = definePlugin({
  name: "training",
  contract: 1,
  provides: [
    optimizer("adamw", {
      summary: "Adam with decoupled weight decay, PyTorch's numerics",
      schema: adamwSchema,
      create: createAdamw,
    }),
    optimizer("sgd", {
      summary: "gradient descent with momentum, PyTorch's numerics",
      schema: sgdSchema,
      create: createSgd,
    }),
    schedule("cosine", {
      summary: "linear warm-up, then half a cosine down",
      schema: cosineSchema,
      create: createCosine,
    }),
    schedule("constant", {
      summary: "linear warm-up, then one learning rate",
      schema: constantSchema,
      create: createConstant,
    }),
  ],
});
