// Builds a layer and evaluates it in float64, with values for its parameters that have no pattern.
import {
  createParamCollector,
  createRandomInputs,
  input,
  type BuildContext,
  type DType,
  type Mode,
  type ParameterSpec,
  type RandomInputSpec,
  type Value,
} from "@diptych/core";
import { createFloat64Tensor, evaluateValues, type Float64Tensor } from "@diptych/core/reference";

/** `count` numbers without pattern in (−1, 1), the same each time for a seed. */
function scattered(count: number, seed = 1): number[] {
  return Array.from({ length: count }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (wave - Math.floor(wave)) - 1;
  });
}

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export interface LayerRun {
  readonly outputs: readonly Float64Tensor[];
  readonly specs: readonly ParameterSpec[];
  /** The parameters' values by name. */
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly updates: Readonly<Record<string, readonly number[]>>;
  readonly random: readonly RandomInputSpec[];
}

export interface LayerCase {
  readonly mode?: Mode;
  /** Shapes of float32 inputs, or shape and values. */
  readonly inputs: Readonly<
    Record<
      string,
      readonly number[] | { shape: readonly number[]; data: readonly number[]; dtype?: DType }
    >
  >;
  /** Values of parameters and random inputs other than scattered ones. */
  readonly given?: Readonly<Record<string, readonly number[]>>;
}

/** The inputs of a case by name, as numbers. */
export function inputNumbers(
  inputs: LayerCase["inputs"],
): Record<string, { shape: readonly number[]; data: readonly number[]; dtype: DType }> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, spec]) => {
      if ("data" in spec) return [name, { dtype: "float32" as const, ...spec }];
      return [
        name,
        { shape: spec, data: scattered(elements(spec), name.length), dtype: "float32" },
      ];
    }),
  );
}

export function runLayer(
  build: (context: BuildContext, inputs: Readonly<Record<string, Value>>) => Value | Value[],
  { mode = "eval", inputs, given = {} }: LayerCase,
): LayerRun {
  const collector = createParamCollector();
  const random = createRandomInputs();
  const fed = inputNumbers(inputs);
  const nodes = Object.fromEntries(
    Object.entries(fed).map(([name, { shape, dtype }]) => [name, input(name, shape, dtype)]),
  );
  const built = build({ mode, scope: collector.root, random }, nodes);
  const values = Object.fromEntries(
    collector
      .specs()
      .map(({ name, shape }) => [name, given[name] ?? scattered(elements(shape), name.length + 7)]),
  );
  const updates = [...collector.bufferUpdates()];
  const outputs = Array.isArray(built) ? built : [built];
  const tensors = evaluateValues([...outputs, ...updates.map(([, value]) => value)], {
    ...Object.fromEntries(
      Object.entries(fed).map(([name, { shape, data, dtype }]) => [
        name,
        createFloat64Tensor(dtype, shape, data),
      ]),
    ),
    ...Object.fromEntries(
      collector
        .specs()
        .map(({ name, shape }) => [name, createFloat64Tensor("float32", shape, values[name]!)]),
    ),
    ...Object.fromEntries(
      random
        .specs()
        .map(({ name, shape, distribution }) => [
          name,
          createFloat64Tensor(
            distribution.kind === "subset" ? "int32" : "float32",
            shape.map(Number),
            given[name] ?? [],
          ),
        ]),
    ),
  });
  return {
    outputs: tensors.slice(0, outputs.length),
    specs: collector.specs(),
    values,
    updates: Object.fromEntries(
      updates.map(([name], i) => [name, [...tensors[outputs.length + i]!.data]]),
    ),
    random: random.specs(),
  };
}

/** Largest difference of two lists of numbers. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
