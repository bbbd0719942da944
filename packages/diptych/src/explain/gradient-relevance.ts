/** Relevance by gradients on feature maps: Grad-CAM, and the product of gradient and feature place by place. */
import {
  abs,
  broadcast,
  gradients,
  mean,
  mul,
  relu,
  reshape,
  scalar,
  shapeOf,
  sliceAxis,
  sub,
  sum,
  transpose,
  type HostTensor,
  type Value,
} from "@diptych/core";
import type { SpatialValue } from "./inspected-tower.js";
import type { RelevancePlan } from "./relevance-plan.js";

/**
 * `place`: each place by its own gradient. `mean`: channels weighted by the mean of their gradient over the places, as
 * Grad-CAM.
 */
export type GradientWeights = "place" | "mean";

/**
 * With F a feature map and G = ∂score/∂F, relevance of place p = (Σ_c w_cp·F_cp)⁺. `mean`: w_cp = mean over places of G_c,
 * Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391, equations 1, 2), made for towers that end in the mean of a map.
 * `place`: w_cp = G_cp (HiResCAM, Draelos and Carin, arXiv:2011.08891), which for a linear head is each place's exact share
 * of the score and equals Grad-CAM where the head is a mean; among tokens with F_p − mean of F in place of F_p: what the
 * score would lose, to first order, were the place like the average one. Tokens before the places (a class token) are
 * left out.
 *
 * The last candidate counts whose places the score depends on: behind a class token the last block's do not matter.
 *
 * @param score [batch]
 */
export function buildGradientRelevance(
  score: Value,
  candidates: readonly SpatialValue[],
  weights: GradientWeights,
): RelevancePlan {
  const {
    outputs: [scores],
    gradients: found,
    carried,
  } = gradients({
    outputs: [score],
    cotangents: [broadcast(scalar(1), shapeOf(score))],
    wrt: candidates.map(({ value }) => value),
    carry: candidates.map(({ value }) => value),
  });
  const outputs: Record<string, Value> = { score: scores! };
  candidates.forEach((candidate, i) => {
    const feature = placesLast(carried[i]!, candidate);
    const gradient = placesLast(found[i]!, candidate);
    outputs[`map${i}`] = relu(
      weights === "mean"
        ? sum(mul(mean(gradient, AVERAGE), feature), { axes: [1] })
        : sum(mul(gradient, contribution(feature, candidate)), { axes: [1] }),
    );
    outputs[`size${i}`] = sum(abs(gradient), { axes: [1, 2] });
  });
  return Object.freeze({
    outputs: Object.freeze(outputs),
    read: (results: Readonly<Record<string, HostTensor>>, row: number) => {
      const at = candidates.findLastIndex((_, i) => (results[`size${i}`]?.data[row] ?? 0) > 0);
      const [candidate, map] = [candidates[at], results[`map${at}`]];
      if (!candidate || !map) return undefined;
      const count = map.shape[1] ?? 0;
      const places = Float64Array.from(map.data.subarray(row * count, (row + 1) * count));
      return { path: candidate.path, grid: candidate.grid, places };
    },
  });
}

const AVERAGE = { axes: [2], keepDims: true } as const;

/**
 * What a place adds over one that says nothing: zeros in a map after relu; the average place among tokens. Against zeros
 * tokens would always come out as 0: they are read through a layer norm, which their length does not change, so that
 * Σ_c G_cp·F_cp = 0 (Euler).
 */
function contribution(feature: Value, { layout }: SpatialValue): Value {
  return layout === "map" ? feature : sub(feature, mean(feature, AVERAGE));
}

/** [batch, channels, places]. */
function placesLast(value: Value, { layout, grid }: SpatialValue): Value {
  const [batch = 1, second = 1] = shapeOf(value);
  const places = grid.gridHeight * grid.gridWidth;
  if (layout === "map") return reshape(value, [batch, second, places]);
  return transpose(sliceAxis(value, 1, grid.prefix, places), [0, 2, 1]);
}
