/** Draws the first values of a parameter from what its initializer says. */
import { ShapeError } from "../errors.js";
import { elementCount } from "../tensor/shape.js";
import type { Initializer } from "./initializers.js";
import type { Random } from "./prng-contract.js";

/**
 * Row-major float32 values of `shape`.
 *
 * @param random A stream of the parameter's own; constants leave it untouched.
 * @throws ShapeError where given values do not have the size of `shape`.
 */
export function drawInitializer(
  initializer: Initializer,
  shape: readonly number[],
  random: Random,
): Float32Array {
  const data = new Float32Array(elementCount(shape));
  switch (initializer.kind) {
    case "zeros":
      return data;
    case "ones":
      return data.fill(1);
    case "constant":
      return data.fill(initializer.value);
    case "normal": {
      const { std, mean = 0 } = initializer;
      random.fillNormal(data);
      return data.map((value) => mean + std * value);
    }
    case "uniform": {
      const { low, high } = initializer;
      random.fillUniform(data);
      return data.map((value) => low + (high - low) * value);
    }
    case "values":
      if (initializer.values.length !== data.length) {
        throw new ShapeError(
          `core/drawInitializer: values: expected ${data.length} for [${shape.join(", ")}], got ${initializer.values.length}.`,
        );
      }
      data.set(initializer.values);
      return data;
  }
}
