/** Holds derivatives to central differences in float64, under random cotangents. */
import { gradients } from "../autodiff/gradients.js";
import { DiptychError } from "../errors.js";
import { typeOf, type Value } from "../graph/node.js";
import { isDifferentiable } from "../ops/primitives/elementwise.js";
import { input } from "../ops/primitives/leaves.js";
import { createRandom } from "../random/prng.js";
import type { DimBinding } from "../tensor/dim.js";
import type { HostTensor } from "../tensor/host-tensor.js";
import { elementCount, evaluateShape, type Shape } from "../tensor/shape.js";
import { bindFeeds } from "../backend/bind-feeds.js";
import { evaluateValues } from "./evaluate.js";
import { createFloat64Tensor, toFloat64, type Float64Tensor } from "./float64-tensor.js";

export interface GradientInput {
  /** May have symbols. */
  readonly shape: Shape;
  /** Where the derivative is taken; away from kinks by more than the step. */
  readonly values: HostTensor | Float64Tensor;
}

export interface GradientCheck {
  /** What is checked, for the failure message. */
  readonly what: string;
  readonly build: (inputs: readonly Value[]) => readonly Value[];
  readonly inputs: readonly GradientInput[];
  /** Positions of the inputs to differentiate by; by default those of a float dtype. */
  readonly wrt?: readonly number[];
  /** Sizes of symbols that no input shows. */
  readonly binding?: DimBinding;
  /** Allowed difference, relative to the largest entry of the gradient by that input; the differences' own noise comes on top. */
  readonly tolerance?: number;
  /** Relative to max(1, |entry|). Near the cube root of float64's precision, where truncation and rounding meet. */
  readonly step?: number;
  /** Entries of each input that are moved, chosen at random where there are more. */
  readonly entries?: number;
  readonly seed?: number;
}

/** An entry whose derivative is not what the differences say. */
export interface GradientMismatch {
  /** Position of the input. */
  readonly input: number;
  /** Row-major position of the entry. */
  readonly entry: number;
  readonly got: number;
  readonly expected: number;
}

/**
 * Compares the gradient of Σ cotangent·output, cotangents drawn at random, with central differences. Bool and int32
 * outputs and inputs are left out.
 *
 * @throws DiptychError that names the input, the entry and both numbers of the worst mismatch.
 * @example
 * checkGradients({
 *   what: "my loss",
 *   build: ([x]) => [myLoss(x!)],
 *   inputs: [{ shape: [2, 3], values: hostTensorFrom("float32", [2, 3], [1, 2, 3, 4, 5, 6]) }],
 * });
 */
export function checkGradients(check: GradientCheck): void {
  const mismatches = findGradientMismatches(check);
  if (mismatches.length === 0) return;
  const worst = mismatches.reduce((a, b) =>
    Math.abs(b.got - b.expected) > Math.abs(a.got - a.expected) ? b : a,
  );
  throw new DiptychError(
    "INTERNAL",
    `core/checkGradients: ${check.what}: input ${worst.input}, entry ${worst.entry}: expected ${worst.expected} as central differences, got ${worst.got} (${mismatches.length} entries differ). Mend the gradient, or move the values away from a kink.`,
  );
}

/** The entries for which {@link checkGradients} would throw. */
export function findGradientMismatches(check: GradientCheck): readonly GradientMismatch[] {
  const { tolerance = 1e-6, step = 6e-6, entries = 48, seed = 0 } = check;
  const problem = buildProblem(check, seed);
  const found: GradientMismatch[] = [];
  problem.wrt.forEach((position, i) => {
    const got = problem.gradients[i]!;
    const largest = got.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const entry of chosenEntries(got.data.length, entries, seed)) {
      const { slope: expected, noise } = centralDifference(problem, position, entry, step);
      const allowed = tolerance * Math.max(largest, Math.abs(expected)) + noise;
      const value = got.data[entry]!;
      // Written so that a NaN is a mismatch.
      if (!(Math.abs(value - expected) <= allowed))
        found.push({ input: position, entry, got: value, expected });
    }
  });
  return found;
}

interface Problem {
  readonly outputs: readonly Value[];
  readonly cotangents: readonly Float64Tensor[];
  readonly feeds: Readonly<Record<string, Float64Tensor>>;
  readonly binding: DimBinding;
  readonly wrt: readonly number[];
  readonly gradients: readonly Float64Tensor[];
}

const nameOf = (position: number): string => `x${position}`;

function buildProblem(check: GradientCheck, seed: number): Problem {
  const tensors = check.inputs.map(({ values }) => toFloat64(values));
  const inputs = check.inputs.map(({ shape }, i) => input(nameOf(i), shape, tensors[i]!.dtype));
  const feeds = Object.fromEntries(tensors.map((tensor, i) => [nameOf(i), tensor]));
  const binding = bindFeeds("core/checkGradients", inputs, feeds, check.binding);
  const outputs = check.build(inputs).filter(isDifferentiable);
  const wrt = check.wrt ?? inputs.flatMap((value, i) => (isDifferentiable(value) ? [i] : []));
  const random = createRandom(seed);
  const cotangents = outputs.map((output, i) => {
    const { shape, dtype } = typeOf(output);
    const stream = random.split(`cotangent ${i}`);
    const sizes = evaluateShape(shape, binding);
    const drawn = Float64Array.from({ length: elementCount(sizes) }, () => stream.normal());
    return { value: input(`d${i}`, shape, dtype), drawn: createFloat64Tensor(dtype, sizes, drawn) };
  });
  const derived = gradients({
    outputs,
    cotangents: cotangents.map(({ value }) => value),
    wrt: wrt.map((i) => inputs[i]!),
  });
  const drawn = cotangents.map((cotangent) => cotangent.drawn);
  const all = { ...feeds, ...Object.fromEntries(drawn.map((tensor, i) => [`d${i}`, tensor])) };
  const found = evaluateValues(derived.gradients, all, binding);
  return { outputs, cotangents: drawn, feeds, binding, wrt, gradients: found };
}

function chosenEntries(size: number, most: number, seed: number): readonly number[] {
  const order = Array.from(createRandom(seed).split("entries").permutation(size));
  return order.slice(0, most);
}

/** ∂(Σ cotangent·output)/∂entry, and how far rounding alone may put it off. */
function centralDifference(
  problem: Problem,
  position: number,
  entry: number,
  step: number,
): { readonly slope: number; readonly noise: number } {
  const before = problem.feeds[nameOf(position)]!;
  const at = before.data[entry]!;
  const distance = step * Math.max(1, Math.abs(at));
  const outputsAt = (value: number): Float64Tensor[] => {
    const data = before.data.slice();
    data[entry] = value;
    const feeds = { ...problem.feeds, [nameOf(position)]: { ...before, data } };
    return evaluateValues(problem.outputs, feeds, problem.binding);
  };
  const [low, high] = [at - distance, at + distance];
  const [below, above] = [outputsAt(low), outputsAt(high)];
  let difference = 0;
  let size = 0;
  problem.cotangents.forEach(({ data }, i) => {
    data.forEach((cotangent, j) => {
      // Outputs are subtracted one by one, before they are added up: less is lost.
      difference += cotangent * (above[i]!.data[j]! - below[i]!.data[j]!);
      size += Math.abs(cotangent * above[i]!.data[j]!);
    });
  });
  // The step as it was taken, after rounding; a few roundings of float64 on each output.
  return { slope: difference / (high - low), noise: (size * 2 ** -50) / (high - low) };
}
