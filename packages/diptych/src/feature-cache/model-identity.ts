/** What features depend on beside the data: the towers as graphs, their weights, the tokenizer, how pictures are prepared, and what computes. */
import { createHash } from "node:crypto";
import type { Backend } from "@diptych/core";
import { printGraph } from "@diptych/core/backend";
import { towerGraph } from "../encode/tower.js";
import { weightsFingerprint } from "../fingerprint.js";
import type { ModelRuntimeOptions } from "../model-runtime.js";
import type { LoadedModel } from "../read-model.js";

export type IdentifiedModel = Pick<LoadedModel, "model" | "parameters" | "pictures" | "tokenizer">;

/**
 * SHA-256 (hex) of all that embeds. The graphs say what weights do not: an activation, the number of heads.
 *
 * @param weights {@link weightsFingerprint} of the parameters, where it is known already.
 */
export function modelIdentity(
  { model, parameters, pictures, tokenizer }: IdentifiedModel,
  {
    backend,
    weights = weightsFingerprint(parameters),
    precision = "float32",
    images = {},
  }: { readonly backend: Backend; readonly weights?: string } & Pick<
    ModelRuntimeOptions,
    "precision" | "images"
  >,
): string {
  const graphs = Object.keys(model.encoders)
    .sort()
    .map((modality) => printGraph(towerGraph(model, modality)));
  const settings = Object.entries({ ...pictures, ...images }).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [weights, graphs, settings, tokenizer.toJSON(), precision, backend.describe()];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
