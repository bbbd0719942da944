/** Linear layer with PyTorch's parameters: `weight` [outFeatures, inFeatures], `bias` [outFeatures]. */
import {
  add,
  checkShapes,
  matmul,
  shapeOf,
  staticShape,
  torchDefault,
  type BuildContext,
  type Initializer,
  type Value,
} from "@diptych/core";
import { fromRows, toRows } from "./rows.js";

export interface LinearOptions {
  readonly outFeatures: number;
  readonly bias?: boolean;
  /** U(±1/√inFeatures) by default, as PyTorch. */
  readonly weightInit?: Initializer;
  readonly biasInit?: Initializer;
}

/**
 * y = x·Wᵀ + b over the last axis.
 *
 * @param x [..., inFeatures]; inFeatures must be a number.
 * @returns [..., outFeatures]
 * @throws ShapeError where inFeatures is symbolic.
 */
export function buildLinear(context: BuildContext, x: Value, options: LinearOptions): Value {
  const { weight, bias } = declareLinear(context, lastSize(x, "nn/buildLinear"), options);
  return applyLinear(x, weight, bias);
}

/** Weights of one linear layer, to apply at several places. */
export interface LinearWeights {
  readonly weight: Value;
  readonly bias?: Value;
}

/** Declares `weight` [outFeatures, inFeatures] and `bias` [outFeatures]. */
export function declareLinear(
  { scope }: BuildContext,
  inFeatures: number,
  { outFeatures, bias = true, weightInit, biasInit }: LinearOptions,
): LinearWeights {
  const weight = scope.parameter("weight", [outFeatures, inFeatures], {
    initializer: weightInit ?? torchDefault(inFeatures),
  });
  if (!bias) return { weight };
  const initializer = biasInit ?? torchDefault(inFeatures);
  return { weight, bias: scope.parameter("bias", [outFeatures], { initializer }) };
}

/** x·Wᵀ + b with given weights: the bias is added to the rows, so that a backend can fuse it into the product. */
export function applyLinear(x: Value, weight: Value, bias?: Value): Value {
  checkShapes(
    "nn/applyLinear",
    [x, "x", ["...", "inFeatures"]],
    [weight, "weight", ["outFeatures", "inFeatures"]],
  );
  const product = matmul(toRows(x), weight, { transposeB: true });
  return fromRows(bias ? add(product, bias) : product, shapeOf(x));
}

export interface ProjectionOptions {
  /** The parameter's own name: open_clip's projections are no layers. */
  readonly name: string;
  readonly embedDim: number;
  readonly init: Initializer;
}

/** x·W with an open_clip projection: a bare [width, embedDim] matrix under `name`. */
export function buildProjection(
  { scope }: BuildContext,
  x: Value,
  { name, embedDim, init }: ProjectionOptions,
): Value {
  const width = lastSize(x, "nn/buildProjection");
  const weight = scope.parameter(name, [width, embedDim], { initializer: init });
  return matmul(x, weight);
}

/** The last size of x as a number. @throws ShapeError where it is symbolic. */
export function lastSize(x: Value, what: string): number {
  return staticShape(shapeOf(x).slice(-1), what)[0] ?? 1;
}
