/** Names of methods, models and tasks as parts of file names. */
import { uniqueNames } from "@diptych/core";

/** Each in lower case, with a dash for whatever is no letter, digit or dot; `fallback` where nothing is left. No two are equal. */
export function fileNames(texts: readonly string[], fallback: string): readonly string[] {
  return uniqueNames(
    texts.map((text) => {
      const dashed = text.toLowerCase().replace(/[^a-z0-9.]+/g, "-");
      return dashed.replace(/^[-.]+|[-.]+$/g, "") || fallback;
    }),
  );
}
