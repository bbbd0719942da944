/** How class names and templates are written in a configuration: inline, by file, or by the name of a shipped list. */
import { z } from "zod";
import { hasPlace } from "../templates.js";

/** A text file with one entry a line, or JSON; `key` chooses one entry of a JSON object, e.g. a data set's. */
const fileSchema = z.strictObject({ file: z.string().min(1), key: z.string().optional() });
export type PromptFile = z.output<typeof fileSchema>;

export const textList = z.array(z.string().min(1)).min(1);
export const textsByClass = z.record(z.string(), textList);

export const classNamesSchema = z
  .union([z.literal("imagenet"), fileSchema, textList], {
    error: 'expected a list of names, { file: "names.txt" } or "imagenet"',
  })
  .superRefine((names, context) => {
    if (!Array.isArray(names)) return;
    const twice = firstTwice(names);
    if (twice !== undefined)
      context.addIssue({
        code: "custom",
        message: `expected each class name once, got "${twice}" twice: equal prompts cannot be told apart`,
      });
  });
export type ClassNamesConfig = z.output<typeof classNamesSchema>;

export const templatesSchema = z
  .union([z.enum(["imagenet-80", "imagenet-7"]), fileSchema, textList, textsByClass], {
    error:
      'expected a list of templates such as "a photo of a {}.", prompts by class { cat: ["a cat with whiskers"] }, { file: "templates.txt" }, "imagenet-80" or "imagenet-7"',
  })
  .superRefine((templates, context) => {
    if (Array.isArray(templates)) {
      templates.forEach((template, i) => {
        if (!hasPlace(template))
          context.addIssue({
            code: "custom",
            path: [i],
            message: `expected a place "{}" for the class name, got "${template}"; for example "a photo of a {}."`,
          });
      });
    } else if (typeof templates === "object" && Object.keys(templates).length === 0) {
      context.addIssue({
        code: "custom",
        message: "expected prompts of at least one class, got none",
      });
    }
  });
export type TemplatesConfig = z.output<typeof templatesSchema>;

/** The first entry that occurred before. */
export function firstTwice(entries: readonly string[]): string | undefined {
  return entries.find((entry, i) => entries.indexOf(entry) < i);
}
