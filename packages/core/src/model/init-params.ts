/** First values of parameters: each draws from a stream split by its own name, so that order and neighbours do not matter. */
import { ShapeError } from "../errors.js";
import type { ParameterSpec } from "../graph/param-scope.js";
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
  return new Map(specs.map((spec) => [spec.name, initialValue(spec, random.split(spec.name))]));
}

function initialValue(spec: ParameterSpec, random: Random): HostTensor<"float32"> {
  const { shape, initializer } = spec;
  const data = new Float32Array(elementCount(shape));
  switch (initializer.kind) {
    case "zeros":
      break;
    case "ones":
      data.fill(1);
      break;
    case "constant":
      data.fill(initializer.value);
      break;
    case "normal": {
      random.fillNormal(data);
      const { std, mean = 0 } = initializer;
      for (let i = 0; i < data.length; i++) data[i] = mean + std * data[i]!;
      break;
    }
    case "uniform": {
      random.fillUniform(data);
      const { low, high } = initializer;
      for (let i = 0; i < data.length; i++) data[i] = low + (high - low) * data[i]!;
      break;
    }
    case "values":
      if (initializer.values.length !== data.length) {
        throw new ShapeError(
          `core/initialiseParameters: ${spec.name}: expected ${data.length} values for [${shape.join(", ")}], got ${initializer.values.length}.`,
        );
      }
      data.set(initializer.values);
      break;
  }
  return createHostTensor("float32", shape, data);
}

/** Number of trained values (buffers are not counted). */
export function countParameters(specs: readonly ParameterSpec[]): number {
  return specs
    .filter(({ role }) => role === "weight")
    .reduce((total, { shape }) => total + elementCount(shape), 0);
}
