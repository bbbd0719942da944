/** Where a tower's parameters live in the state dict (design §4): open_clip's prefixes, or the modality's name. */

/** Where the text tower's keys go: at the root (CLIP), or under `text.` (open_clip's CustomTextCLIP). */
export type TextPrefix = "" | "text";

/** Scope of the tower of `modality`: image → `visual`, text → `textPrefix`, any other → its own name. */
export function encoderScope(modality: string, textPrefix: TextPrefix = ""): string {
  if (modality === "image") return "visual";
  return modality === "text" ? textPrefix : modality;
}
