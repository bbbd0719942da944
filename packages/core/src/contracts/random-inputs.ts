/** Randomness enters a graph as inputs, declared by builders and fed by the trainer from (seed, step, name). */
import type { Value } from "../graph/node.js";
import type { Shape } from "../tensor/shape.js";

export type RandomDistribution =
  /** float32 0 or 1/keep, each kept with probability `keep`: multiply with it for (inverted) dropout. */
  | { readonly kind: "dropout"; readonly keep: number }
  /** int32 [batch, kept]: for each row `kept` distinct positions below `among`, ascending (patch dropout). */
  | { readonly kind: "subset"; readonly among: number }
  | { readonly kind: "normal" }
  | { readonly kind: "uniform" };

/** A random input of a graph; its first axis counts samples, so that each sample has a stream of its own. */
export interface RandomInputSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly distribution: RandomDistribution;
}

export interface RandomInputs {
  /** The value of a new random input. @throws ShapeError when the name is taken. */
  declare(name: string, shape: Shape, distribution: RandomDistribution): Value;
}
