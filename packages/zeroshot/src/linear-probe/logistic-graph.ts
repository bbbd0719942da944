/** Loss and gradient of multinomial logistic regression over a block of rows, as one graph that works slice by slice. */
import {
  add,
  cast,
  concat,
  createGraph,
  equal,
  exp,
  input,
  iota,
  logSoftmax,
  matmul,
  neg,
  reshape,
  sub,
  sum,
  takeAlong,
  type Graph,
} from "@diptych/core";

export interface LogisticGraphSizes {
  /** Rows of each slice. */
  readonly slices: readonly number[];
  readonly width: number;
  readonly classes: number;
}

/**
 * Inputs: `weights` [classes, width], `bias` [1, classes], `x0…` [rows, width], `y0…` int32 [rows, 1]. Outputs: `losses`
 * [all rows], −log softmax(xWᵀ + b)ᵧ; `weights` and `bias`: gradients of their sum, Σ (softmax − onehot(y)) ⊗ x.
 */
export function buildLogisticGraph({ slices, width, classes }: LogisticGraphSizes): Graph {
  const weights = input("weights", [classes, width]);
  const bias = input("bias", [1, classes]);
  const parts = slices.map((rows, i) => {
    const x = input(`x${i}`, [rows, width]);
    const y = input(`y${i}`, [rows, 1], "int32");
    const logs = logSoftmax(add(matmul(x, weights, { transposeB: true }), bias), 1);
    const right = cast(equal(y, reshape(iota(classes), [1, classes])), "float32");
    const error = sub(exp(logs), right);
    return {
      losses: neg(reshape(takeAlong(logs, y, 1), [rows])),
      weights: matmul(error, x, { transposeA: true }),
      bias: sum(error, { axes: [0] }),
    };
  });
  return createGraph("logistic-regression", {
    losses: concat(
      parts.map(({ losses }) => losses),
      0,
    ),
    weights: parts.map((part) => part.weights).reduce((a, b) => add(a, b)),
    bias: parts.map((part) => part.bias).reduce((a, b) => add(a, b)),
  });
}
