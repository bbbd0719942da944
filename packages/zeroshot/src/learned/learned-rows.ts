/** Some rows of a labelled set. */
import { takeRows } from "../scores/score-blocks.js";
import type { LabelledFeatures } from "./learning-data.js";

export type LearnedRows = Pick<LabelledFeatures, "features" | "targets">;

export function rowsAt({ features, targets }: LearnedRows, rows: readonly number[]): LearnedRows {
  return {
    features: takeRows(features, rows),
    targets: rows.map((row) => targets[row] ?? -1),
  };
}
