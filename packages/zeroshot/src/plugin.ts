/** The evaluators as a plugin. */
import { definePlugin, evaluator, partConstructor } from "@diptych/core/plugin";
import { createClassification } from "./classification.js";
import { classificationSchema } from "./classification-config.js";
import { createKnn } from "./knn/knn.js";
import { knnSchema } from "./knn/knn-config.js";
import { createFewShot } from "./linear-probe/few-shot.js";
import { createLinearProbe } from "./linear-probe/linear-probe.js";
import { fewShotSchema, linearProbeSchema } from "./linear-probe/linear-probe-config.js";
import { createRetrieval } from "./retrieval/retrieval.js";
import { retrievalSchema } from "./retrieval/retrieval-config.js";

export const zeroshotClassification = partConstructor(
  "zeroshot-classification",
  classificationSchema,
);
export const retrieval = partConstructor("retrieval", retrievalSchema);
export const linearProbe = partConstructor("linear-probe", linearProbeSchema);
export const fewShot = partConstructor("few-shot", fewShotSchema);
export const knn = partConstructor("knn", knnSchema);

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
    evaluator("linear-probe", {
      summary: "logistic regression on features of a training set",
      schema: linearProbeSchema,
      create: createLinearProbe,
    }),
    evaluator("few-shot", {
      summary: "the linear probe on k samples of each class",
      schema: fewShotSchema,
      create: createFewShot,
    }),
    evaluator("knn", {
      summary: "votes of the nearest pictures of a training set",
      schema: knnSchema,
      create: createKnn,
    }),
  ],
});
