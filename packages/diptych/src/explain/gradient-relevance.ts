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
 * With F a feature map or patch tokens and G = ∂score/∂F, relevance of place p:
 * `place`: (Σ_c G_cp·(F_cp − mean over places of F_c))⁺, what the score would lose, to first order, were the place like the
 * average one. Gradient times feature as in HiResCAM (Draelos and Carin, arXiv:2011.08891), measured from the average
 * place and not from zero: what all places share says nothing about where.
 * `mean`: (Σ_c w_c·F_cp)⁺ with w_c = mean over places of G_c, Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391,
 * equations 1, 2), made for towers that end in the mean of a map.
 * Tokens before the places (a class token) are left out.
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
        ? sum(mul(mean(gradient, PLACES), feature), { axes: [1] })
        : sum(mul(gradient, sub(feature, mean(feature, PLACES))), { axes: [1] }),
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

const PLACES = { axes: [2], keepDims: true } as const;

/** [batch, channels, places]. */
function placesLast(value: Value, { layout, grid }: SpatialValue): Value {
  const [batch = 1, second = 1] = shapeOf(value);
  const places = grid.gridHeight * grid.gridWidth;
  if (layout === "map") return reshape(value, [batch, second, places]);
  return transpose(sliceAxis(value, 1, grid.prefix, places), [0, 2, 1]);
}
