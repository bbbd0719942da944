/** Runs values on the reference evaluator with plain lists of numbers. */
import { inputName, isLeafInput } from "../graph/graph.js";
import { shapeOf, dtypeOf, type Value } from "../graph/node.js";
import { nodeValues } from "../graph/builder.js";
import { nodesInOrder } from "../graph/traverse.js";
import { evaluateValues } from "../reference/evaluate.js";
import { createFloat64Tensor } from "../reference/float64-tensor.js";
import type { DimBinding } from "../tensor/dim.js";
import { evaluateShape } from "../tensor/shape.js";

export type Numbers = Readonly<Record<string, readonly number[]>>;

/** The values under feeds by input name, each as a list of its entries. */
export function numbersOf(
  values: readonly Value[],
  feeds: Numbers,
  binding: DimBinding = {},
): number[][] {
  const leaves = nodesInOrder(values).filter(isLeafInput).flatMap(nodeValues);
  const tensors = Object.fromEntries(
    leaves.map((leaf) => {
      const name = inputName(leaf.node);
      const data = feeds[name];
      if (!data) throw new Error(`no numbers for ${name}`);
      return [
        name,
        createFloat64Tensor(dtypeOf(leaf), evaluateShape(shapeOf(leaf), binding), data),
      ];
    }),
  );
  return evaluateValues(values, tensors, binding).map(({ data }) => [...data]);
}

/** `count` numbers without pattern in (−1, 1)·scale, the same each time for a seed. */
export function scattered(count: number, seed = 1, scale = 1): number[] {
  return Array.from({ length: count }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return (2 * (wave - Math.floor(wave)) - 1) * scale;
  });
}

/** The central-difference gradient of Σ weights·f by one list of numbers. */
export function slopes(
  f: (at: readonly number[]) => readonly number[],
  at: readonly number[],
  weights: readonly number[],
  step = 1e-5,
): number[] {
  const total = (x: readonly number[]): number =>
    f(x).reduce((sum, value, i) => sum + value * weights[i]!, 0);
  return at.map((_, i) => {
    const moved = (by: number): number[] => at.map((value, j) => (j === i ? value + by : value));
    return (total(moved(step)) - total(moved(-step))) / (2 * step);
  });
}
