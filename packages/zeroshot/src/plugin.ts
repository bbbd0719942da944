/** The evaluators as a plugin. */
import { definePlugin, evaluator, partConstructor } from "@diptych/core/plugin";
import { createClassification } from "./classification.js";
import { classificationSchema } from "./classification-config.js";
import { createRetrieval } from "./retrieval/retrieval.js";
import { retrievalSchema } from "./retrieval/retrieval-config.js";

export const zeroshotClassification = partConstructor(
  "zeroshot-classification",
  classificationSchema,
);
export const retrieval = partConstructor("retrieval", retrievalSchema);

export const zeroshotPlugin = definePlugin({
  name: "@diptych/zeroshot",
  contract: 1,
  provides: [
    evaluator("zeroshot-classification", {
      summary: "pictures against the names of classes in prompt templates",
      schema: classificationSchema,
      create: createClassification,
    }),
    evaluator("retrieval", {
      summary: "recall@k from pictures to captions and back",
      schema: retrievalSchema,
      create: createRetrieval,
    }),
  ],
});
