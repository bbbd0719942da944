/** ImageNet's class names and CLIP's templates for them, read when first asked for (data/README.md: source and licence). */
import { readFileSync } from "node:fs";

export interface ImagenetPrompts {
  /** 1,000 names in the order of the classes; `missile` and `sunglasses` occur twice, as in the source. */
  readonly classNames: readonly string[];
  /** The 80 templates of the paper (§3.1.4). */
  readonly templates80: readonly string[];
  /** The 7 that OpenAI chose from them. */
  readonly templates7: readonly string[];
}

let prompts: ImagenetPrompts | undefined;

/** Parsed on the first call, the same object afterwards. */
export function loadImagenetPrompts(): ImagenetPrompts {
  prompts ??= Object.freeze(
    JSON.parse(
      readFileSync(new URL("../../data/imagenet.json", import.meta.url), "utf8"),
    ) as ImagenetPrompts,
  );
  return prompts;
}
