/** Seeded values for the inputs that encoders and losses declare. */
import {
  createRandom,
  evaluateShape,
  hostTensorFrom,
  isFloat,
  type DimBinding,
  type HostTensor,
  type InputSpec,
  type RandomInputSpec,
} from "@diptych/core";

export interface DrawOptions {
  /** Upper bound of int32 values, excluded. */
  readonly below: number;
  readonly feed?: (spec: InputSpec, shape: readonly number[]) => HostTensor;
}

/** Values of one input: normals, integers or booleans, or what `feed` gives. */
export function drawInput(
  spec: InputSpec,
  sizes: DimBinding,
  { below, feed }: DrawOptions,
): HostTensor {
  const shape = evaluateShape(spec.shape, sizes);
  if (feed) return feed(spec, shape);
  const random = createRandom("input").split(spec.name);
  const limit = spec.dtype === "bool" ? 2 : below;
  const draw = isFloat(spec.dtype) ? () => random.normal() : () => random.integer(limit);
  return hostTensorFrom(spec.dtype, shape, Float64Array.from({ length: sizeOf(shape) }, draw));
}

/** Values of one random input, as a trainer would draw them. */
export function drawRandomInput(
  { name, shape, distribution }: RandomInputSpec,
  sizes: DimBinding,
): HostTensor {
  const random = createRandom("random input").split(name);
  const numbers = evaluateShape(shape, sizes);
  if (distribution.kind === "subset") {
    const kept = numbers.at(-1) ?? 1;
    const rows = sizeOf(numbers) / kept;
    const positions = Array.from({ length: rows }, () =>
      Array.from(random.permutation(distribution.among).subarray(0, kept)).sort((a, b) => a - b),
    );
    return hostTensorFrom("int32", numbers, positions.flat());
  }
  const draw = (): number => {
    if (distribution.kind === "normal") return random.normal();
    const value = random.next();
    return distribution.kind === "uniform"
      ? value
      : value < distribution.keep
        ? 1 / distribution.keep
        : 0;
  };
  return hostTensorFrom("float32", numbers, Float64Array.from({ length: sizeOf(numbers) }, draw));
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
