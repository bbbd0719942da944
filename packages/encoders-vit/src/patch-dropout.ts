/** Patch dropout (FLIP, arXiv:2212.00794): training sees a random subset of each picture's patches. */
import { checkShapes, type BuildContext, type Value } from "@diptych/core";
import { takeTokens } from "@diptych/nn";

/**
 * Keeps max(1, ⌊patches·(1 − rate)⌋) patches a picture, chosen anew each step by the random input
 * `<scope>.patch_dropout`, in order; all of them in evaluation.
 *
 * @param patches [batch, patches, width] with positions already added.
 * @returns [batch, kept, width]
 */
export function dropPatches(context: BuildContext, patches: Value, rate: number): Value {
  if (context.mode === "eval" || rate === 0) return patches;
  const { batch, count } = checkShapes("encoders-vit/dropPatches", [
    patches,
    "patches",
    ["batch", "count", "width"],
  ]);
  const among = Number(count);
  const kept = Math.max(1, Math.floor(among * (1 - rate)));
  const name = `${context.scope.path}.patch_dropout`.replace(/^\./, "");
  return takeTokens(
    patches,
    context.random.declare(name, [batch, kept], { kind: "subset", among }),
  );
}
