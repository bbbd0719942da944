/** Configuration of zero-shot classification. */
import { z } from "zod";
import { classNamesSchema, templatesSchema } from "./prompts/prompt-schema.js";
import { A_PHOTO_OF } from "./templates.js";

export const classificationSchema = z
  .strictObject({
    /** Label of a sample that holds its class. */
    label: z.string().default("class"),
    /**
     * What that label is: a class `name`; its `index` from 0; or `sorted`: another name, the n-th of all in sorted order
     * standing for the n-th class (ImageNet's folders, named by WordNet ids).
     */
    labelIs: z.enum(["name", "index", "sorted"]).default("name"),
    /** Samples may have several classes (a list as their label): mean average precision instead of accuracy. */
    multiLabel: z.boolean().default(false),
    /** Prompts of each class are averaged. A list, prompts by class, a file, or a shipped list. */
    templates: templatesSchema.default([...A_PHOTO_OF]),
    /** Candidates; by default those that `templates` has prompts of, or that occur in the set, sorted. */
    classNames: classNamesSchema.optional(),
    topK: z.array(z.int().min(1)).min(1).default([1, 5]),
    /** Labels by whose values results are also given, with that of the worst group. */
    groups: z.array(z.string()).default([]),
    /**
     * `features`: cosine similarity. `loss`: what the model's loss taught it to score, e.g. a caption's likelihood. `own`:
     * the loss's where it has one, else the features', to compare models of both kinds.
     */
    scores: z.enum(["features", "loss", "own"]).default("features"),
    /** What scores are multiplied with before the softmax of the calibration error; the model's own scale by default. */
    scale: z.number().positive().optional(),
    /** Bins of the calibration error. */
    bins: z.int().min(1).default(15),
    /** Most confident mistakes to keep, and a third as many right answers. */
    examples: z.int().min(0).default(12),
  })
  .refine(({ topK, multiLabel }) => multiLabel || topK.includes(1), {
    message: "expected 1 among topK: it is the metric that the others stand beside",
    path: ["topK"],
  });
export type ClassificationConfig = z.output<typeof classificationSchema>;

/** Name of the metric that stands for the others. */
export function mainMetricOf({ multiLabel }: ClassificationConfig): string {
  return multiLabel ? "meanAveragePrecision" : "top1";
}
