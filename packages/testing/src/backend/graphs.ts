/** Small graphs that the checks of a backend share, with values to feed them. */
import {
  add,
  createGraph,
  createRandom,
  gradients,
  hostTensorFrom,
  input,
  layerNorm,
  matmul,
  mean,
  mul,
  parameter,
  sub,
  symbolDim,
  tanh,
  type Graph,
  type HostTensor,
} from "@diptych/core";

export const BATCH = symbolDim("batch");

/** float32 values that depend on `seed` alone. */
export function drawn(shape: readonly number[], seed: number): HostTensor<"float32"> {
  const data = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
  createRandom(seed).fillNormal(data);
  return hostTensorFrom("float32", shape, data);
}

export function floats(...values: readonly number[]): HostTensor<"float32"> {
  return hostTensorFrom("float32", [values.length], values);
}

/** y = tanh(x·w), with x [batch, 3] and w [3, 2]. */
export function denseGraph(): Graph {
  const x = input("x", [BATCH, 3]);
  const w = parameter("w", [3, 2]);
  return createGraph("dense", { y: tanh(matmul(x, w)) });
}

/** One step of gradient descent: `loss`, and `next`, the new w, which reads w and its gradient. */
export function descentGraph(): Graph {
  const x = input("x", [8, 3]);
  const target = input("target", [8, 2]);
  const w = parameter("w", [3, 2]);
  const error = sub(tanh(matmul(x, w)), target);
  const { outputs, gradients: found } = gradients({ outputs: [mean(mul(error, error))], wrt: [w] });
  return createGraph("descent", { loss: outputs[0]!, next: sub(w, mul(found[0]!, 0.5)) });
}

/** Three outputs of one node, the second also under another name. */
export function statisticsGraph(): Graph {
  const x = input("x", [BATCH, 5]);
  const ones = input("scale", [5]);
  const { output, mean: average, invStd } = layerNorm(x, ones, ones);
  return createGraph("statistics", {
    output,
    mean: average,
    invStd,
    again: average,
    sum: add(average, invStd),
  });
}
