/** From cosines to probabilities and matrices of cosines. */
import { createHostTensor, type HostTensor } from "@diptych/core";
import { similarities, topCandidates } from "@diptych/zeroshot";
import type { Features } from "./encode/encoder-runtime.js";

export interface Classification {
  readonly label: string;
  /** Softmax over the labels at the model's own scale. */
  readonly probability: number;
}

/** Labels by softmax(scale · cosines), most probable first; of equal ones the first given comes first. */
export function rankLabels(
  cosines: Float64Array,
  labels: readonly string[],
  scale: number,
): readonly Classification[] {
  const scores = cosines.map((cosine) => cosine * scale);
  const largest = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
  return topCandidates(scores, labels.length).map((i) => ({
    label: labels[i] ?? "",
    probability: Math.exp((scores[i] ?? 0) - largest) / total,
  }));
}

/** Dot products of all pairs of rows, accumulated in float64: [rows, columns]. @throws ShapeError where widths differ. */
export function allSimilarities(rows: Features, columns: Features): HostTensor<"float32"> {
  const [count = 0] = rows.shape;
  const [width = 0] = columns.shape;
  const data = new Float32Array(count * width);
  for (let row = 0; row < count; row++) data.set(similarities(rows, row, columns), row * width);
  return createHostTensor("float32", [count, width], data);
}
