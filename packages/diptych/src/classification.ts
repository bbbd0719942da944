/** From cosines to probabilities and matrices of cosines. */
import { createHostTensor, type EncodeFunctions, type HostTensor } from "@diptych/core";
import { buildClassWeights, similarities, topCandidates } from "@diptych/zeroshot";
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

type LabelWeights = (
  labels: readonly string[],
  templates: readonly string[],
) => ReturnType<typeof buildClassWeights>;

/** Vectors of labels [labels, width]; those of the last call are kept, as one set of labels is asked of many pictures. */
export function createLabelWeights(encode: Pick<EncodeFunctions, "texts">): LabelWeights {
  let last: { readonly key: string; readonly weights: ReturnType<LabelWeights> } | undefined;
  return (labels, templates) => {
    const key = JSON.stringify([labels, templates]);
    if (last?.key !== key) {
      const weights = buildClassWeights({ encode, classNames: labels, templates });
      const now = { key, weights };
      last = now;
      // What failed is tried again.
      weights.catch(() => {
        if (last === now) last = undefined;
      });
    }
    return last.weights;
  };
}
