/** First values of parameters: each draws from a stream split by its own name, so that order and neighbours do not matter. */
import type { ParameterSpec } from "../graph/param-scope.js";
import { drawInitializer } from "../random/draw.js";
import type { Random } from "../random/prng-contract.js";
import { createHostTensor, type HostTensor } from "../tensor/host-tensor.js";
import { elementCount } from "../tensor/shape.js";

/**
 * Initial values of `specs` (float32), by name.
 *
 * @param random A stream of its own for the model; the same stream and name give the same values.
 * @throws ShapeError where given values do not have the parameter's size.
 */
export function initialiseParameters(
  specs: readonly ParameterSpec[],
  random: Random,
): Map<string, HostTensor<"float32">> {
  return new Map(
    specs.map(({ name, shape, initializer }) => {
      const data = drawInitializer(initializer, shape, random.split(name));
      return [name, createHostTensor("float32", shape, data)];
    }),
  );
}

/** Number of trained values (buffers are not counted). */
export function countParameters(specs: readonly ParameterSpec[]): number {
  return specs
    .filter(({ role }) => role === "weight")
    .reduce((total, { shape }) => total + elementCount(shape), 0);
}
