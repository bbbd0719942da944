/** Logistic regression as scikit-learn's LogisticRegression with its default solver: the objective, the end and the prediction. */
import { createHostTensor, DataError, type Compute } from "@diptych/core";
import type { Embeddings } from "../ranking.js";
import { eachScoreBlock } from "../scores/score-blocks.js";
import { minimise, type LbfgsResult } from "./lbfgs.js";
import {
  createLogisticProblem,
  type LogisticData,
  type LogisticProblem,
} from "./logistic-problem.js";

export interface LogisticFitOptions {
  /** Inverse strength of the penalty. */
  readonly C: number;
  readonly maxIterations: number;
  /** On the largest entry of the gradient of the mean loss; 1e-4 as scikit-learn's. */
  readonly tolerance?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onIteration?: ((iteration: number) => void) | undefined;
}

/** Classes that the rows had, and the plane of each. */
export interface LogisticModel {
  /** Label that stands for each row of `weights`, ascending. */
  readonly labels: readonly number[];
  /** [labels, width]. */
  readonly weights: Embeddings;
  readonly bias: Float64Array;
  readonly iterations: number;
  readonly reason: LbfgsResult["reason"];
  /** ½‖W‖² + C Σ loss, at the end. */
  readonly objective: number;
}

export interface LogisticFitter {
  fit(options: LogisticFitOptions): Promise<LogisticModel>;
  dispose(): Promise<void>;
}

/**
 * Compiles loss and gradient of the rows once, for fits with several C.
 *
 * @throws DataError where fewer than two classes have rows
 */
export async function createLogisticFitter(
  data: Omit<LogisticData, "classes">,
): Promise<LogisticFitter> {
  const labels = [...new Set(Array.from(data.labels))].sort((a, b) => a - b);
  if (labels.length < 2) {
    throw new DataError(
      `zeroshot/logistic: classes: expected at least two among the rows to learn from, got ${labels.length}. There is nothing to tell apart.`,
    );
  }
  const position = new Map(labels.map((label, i) => [label, i]));
  const problem = await createLogisticProblem({
    ...data,
    labels: Array.from(data.labels, (label) => position.get(label) ?? -1),
    classes: labels.length,
  });
  const [rows = 0, width = 0] = data.features.shape;
  return Object.freeze({
    dispose: () => problem.dispose(),
    fit: (options: LogisticFitOptions) => fit({ problem, rows, width, labels }, options),
  });
}

interface Sizes {
  readonly problem: LogisticProblem;
  readonly rows: number;
  readonly width: number;
  readonly labels: readonly number[];
}

/**
 * Minimises ½‖W‖² + C Σᵢ −log softmax(Wxᵢ + b)ᵧᵢ from zero, the bias without a penalty, over W and b; what is minimised is
 * that over C·rows, as in scikit-learn, whose tolerance means the same.
 *
 * Of two classes scikit-learn fits one plane w, whose penalty ½‖w‖² is that of W = ±w/2 twice over.
 */
async function fit(
  { problem, rows, width, labels }: Sizes,
  { C, maxIterations, tolerance = 1e-4, signal, onIteration }: LogisticFitOptions,
): Promise<LogisticModel> {
  const size = labels.length * width;
  const penalty = (labels.length === 2 ? 2 : 1) / (C * rows);
  const found = await minimise({
    start: new Float64Array(size + labels.length),
    objective: async (point) => {
      const { loss, gradient } = await problem.evaluate(point);
      let square = 0;
      for (let i = 0; i < gradient.length; i++) {
        const weight = i < size ? (point[i] ?? 0) : 0;
        square += weight ** 2;
        gradient[i] = (gradient[i] ?? 0) / rows + penalty * weight;
      }
      return { value: loss / rows + (penalty * square) / 2, gradient };
    },
    maxIterations,
    tolerance,
    signal,
    onIteration,
  });
  const weights = new Float32Array(found.x.subarray(0, size));
  return Object.freeze({
    labels,
    weights: createHostTensor("float32", [labels.length, width], weights),
    bias: found.x.slice(size),
    iterations: found.iterations,
    reason: found.reason,
    objective: found.value * C * rows,
  });
}

export interface LogisticScoreOptions {
  readonly compute: Compute;
  readonly features: Embeddings;
  /** Labels from 0 to here have a score; those that the model never saw the least. */
  readonly classes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Calls `use` with each row's scores Wx + b by label: −∞ for labels that the model never saw. */
export async function eachLogisticScore(
  model: LogisticModel,
  { compute, features, classes, signal }: LogisticScoreOptions,
  use: (scores: Float64Array, row: number) => void,
): Promise<void> {
  const asked = { compute, queries: features, candidates: model.weights, signal };
  // All classes in one block, so that a row's scores come together.
  await eachScoreBlock({ ...asked, blockCandidates: model.labels.length }, (block) => {
    for (let i = 0; i < block.queries; i++) {
      const scores = new Float64Array(classes).fill(-Infinity);
      model.labels.forEach((label, j) => {
        scores[label] = (block.scores[i * block.stride + j] ?? NaN) + (model.bias[j] ?? 0);
      });
      use(scores, block.firstQuery + i);
    }
  });
}
