/** Prompt templates: texts with one `{}` (or `{c}`, `{label}`, `{class}`) where the class name goes. */
import { ConfigError } from "@diptych/core";

const PLACE = /\{(?:c|label|class)?\}/g;

/** Whether there is a place for the name. */
export function hasPlace(template: string): boolean {
  return template.search(PLACE) >= 0;
}

/** The prompt of a class. @throws ConfigError on a template without a place for the name. */
export function fillTemplate(template: string, className: string): string {
  if (!hasPlace(template)) {
    throw new ConfigError(
      `zeroshot/fillTemplate: template: expected a place "{}" for the class name, got "${template}". For example "a photo of a {}."`,
    );
  }
  return template.replace(PLACE, () => className);
}

/** The name alone. */
export const NAME_ONLY: readonly string[] = Object.freeze(["{}"]);
/** CLIP's single prompt (paper §3.1.4). */
export const A_PHOTO_OF: readonly string[] = Object.freeze(["a photo of a {}."]);
