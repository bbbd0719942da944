/** Relevance through attention: gradient-weighted attention maps, followed from what is pooled back to the patches. */
import {
  broadcast,
  ConfigError,
  gradients,
  matmul,
  mean,
  mul,
  relu,
  scalar,
  shapeOf,
  sqrt,
  sum,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { tokenGrid, type AttentionLayer, type Grid } from "./inspected-tower.js";
import type { RelevancePlan } from "./relevance-plan.js";

/**
 * The rule of Chefer, Gur and Wolf (ICCV 2021, arXiv:2103.15679, equations 5, 6): with A a layer's probabilities and
 * ∇A = ∂score/∂A, Ā = mean over heads of (∇A ∘ A)⁺ and R ← R + Ā·R, R = I at first. The relevance of a place is its entry
 * in the row of R that the pooled vector reads: the class token's; where several tokens are read, their rows weighted
 * by the length of ∂score/∂token (equal for a mean); where the last layer is attention pooling, that layer's own Ā.
 * The token's own share, the I, is left out. Layers before the first of `layers` are passed over.
 *
 * @param score [batch]
 * @throws ConfigError where the tokens' places in the picture are unknown.
 */
export function buildAttentionRelevance(
  score: Value,
  layers: readonly AttentionLayer[],
  facts: Readonly<Record<string, number | string>>,
): RelevancePlan {
  const last = layers.at(-1);
  const keys = last && shapeOf(last.probabilities)[3];
  const grid = typeof keys === "number" ? tokenGrid(keys, facts) : undefined;
  if (!last || !grid) {
    throw new ConfigError(
      `diptych/explain: attention: expected layers over the patches of a grid, got ${last ? "tokens of unknown places" : "none"}. Use the method "gradient".`,
    );
  }
  const pools = shapeOf(last.probabilities)[2] !== keys;
  const reader = pools ? undefined : last.output;
  const {
    outputs: [scores],
    gradients: found,
    carried,
  } = gradients({
    outputs: [score],
    cotangents: [broadcast(scalar(1), shapeOf(score))],
    wrt: [...layers.map(({ differentiated }) => differentiated), ...(reader ? [reader] : [])],
    carry: layers.flatMap(({ probabilities, values }) => [probabilities, values ?? probabilities]),
  });
  const outputs: Record<string, Value> = { score: scores! };
  layers.forEach(({ values }, i) => {
    const [probabilities, value, gradient] = [carried[2 * i]!, carried[2 * i + 1]!, found[i]!];
    // y = A·V, so ∂score/∂A = ∂score/∂y·Vᵀ.
    const weights = values ? matmul(gradient, value, { transposeB: true }) : gradient;
    outputs[`layer${i}`] = mean(relu(mul(weights, probabilities)), { axes: [1] });
  });
  const gradient = reader && found[layers.length];
  if (gradient) outputs["read"] = sqrt(sum(mul(gradient, gradient), { axes: [-1] }));
  const names = layers.map((_, i) => `layer${i}`);
  return Object.freeze({
    outputs: Object.freeze(outputs),
    read: (results: Readonly<Record<string, HostTensor>>, row: number) => ({
      path: layers[0]?.path ?? "",
      grid,
      places: followBack(
        names.map((name) => results[name]!),
        results["read"],
        { row, grid },
      ),
    }),
  });
}

/** r·(I + Ā_last)⋯(I + Ā_first) − r, from the last layer to the first: vectors only, no product of matrices. */
function followBack(
  layers: readonly HostTensor[],
  read: HostTensor | undefined,
  { row, grid }: { readonly row: number; readonly grid: Grid },
): Float64Array {
  const tokens = layers.at(-1)?.shape[2] ?? 0;
  const start = startingRow(layers, read, { row, tokens });
  let relevance = start.relevance;
  for (const layer of layers.slice(0, start.layers).toReversed()) {
    const more = vectorTimes(relevance, layer, row);
    relevance = relevance.map((value, i) => value + (more[i] ?? 0));
  }
  return relevance
    .map((value, i) => value - (start.own[i] ?? 0))
    .subarray(grid.prefix, grid.prefix + grid.gridHeight * grid.gridWidth);
}

interface Start {
  readonly relevance: Float64Array;
  /** What of it is no relevance but the tokens themselves. */
  readonly own: Float64Array;
  /** Layers that are still to be followed. */
  readonly layers: number;
}

function startingRow(
  layers: readonly HostTensor[],
  read: HostTensor | undefined,
  { row, tokens }: { readonly row: number; readonly tokens: number },
): Start {
  const last = layers.at(-1);
  const queries = last?.shape[1] ?? 0;
  if (last && queries !== tokens) {
    const relevance = vectorTimes(new Float64Array(queries).fill(1 / queries), last, row);
    return { relevance, own: new Float64Array(tokens), layers: layers.length - 1 };
  }
  const lengths = new Float64Array(tokens);
  if (read) for (let i = 0; i < tokens; i++) lengths[i] = read.data[row * tokens + i] ?? 0;
  const total = lengths.reduce((sum_, length) => sum_ + length, 0);
  // A tower that does not name its blocks' tokens: the first token is taken for the class token.
  if (!read) lengths[0] = 1;
  const own = total > 0 ? lengths.map((length) => length / total) : lengths;
  return { relevance: own, own, layers: layers.length };
}

/** Σ_q vector[q]·matrix[row, q, k]. */
function vectorTimes(
  vector: Float64Array,
  { data, shape: [, queries = 0, keys = 0] }: HostTensor,
  row: number,
): Float64Array {
  const result = new Float64Array(keys);
  for (let q = 0; q < queries; q++) {
    const weight = vector[q] ?? 0;
    if (weight === 0) continue;
    const from = (row * queries + q) * keys;
    for (let k = 0; k < keys; k++) result[k] = (result[k] ?? 0) + weight * (data[from + k] ?? 0);
  }
  return result;
}
