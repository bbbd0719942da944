/** Random inputs of one model: input nodes with the specs from which the trainer draws their values. */
import type {
  RandomDistribution,
  RandomInputs,
  RandomInputSpec,
} from "../contracts/random-inputs.js";
import { ShapeError } from "../errors.js";
import type { Value } from "../graph/node.js";
import { input } from "../ops/primitives/leaves.js";
import { createShape, formatShape } from "../tensor/shape.js";

/** Keeps what builders declare as random. */
export interface RandomInputCollector extends RandomInputs {
  /** Declarations in order. */
  specs(): readonly RandomInputSpec[];
}

/** An empty collector: dropout, normal and uniform inputs are float32, subsets int32. */
export function createRandomInputs(): RandomInputCollector {
  const specs = new Map<string, RandomInputSpec>();
  return Object.freeze({
    declare: (
      name: string,
      shape: readonly RandomInputSpec["shape"][number][],
      distribution: RandomDistribution,
    ): Value => {
      if (specs.has(name)) {
        throw new ShapeError(
          `core/createRandomInputs: name: expected each random input once, got "${name}" twice (the second ${formatShape(shape)}). Name it after its scope.`,
        );
      }
      const spec = Object.freeze({ name, shape: createShape(shape), distribution });
      specs.set(name, spec);
      return input(name, spec.shape, distribution.kind === "subset" ? "int32" : "float32");
    },
    specs: () => [...specs.values()],
  });
}
