import { describeOptimizerContract } from "@diptych/testing";
import { createAdamw } from "./adamw.js";
import { adamwSchema, sgdSchema } from "./config.js";
import { createSgd } from "./sgd.js";

describeOptimizerContract({
  name: "adamw",
  create: () => createAdamw(adamwSchema.parse({})),
});
describeOptimizerContract({ name: "sgd", create: () => createSgd(sgdSchema.parse({})) });
describeOptimizerContract({
  name: "sgd with Nesterov momentum and decay",
  create: () => createSgd(sgdSchema.parse({ nesterov: true, weightDecay: 0.1 })),
});
