/** A case as a graph and as feeds, the same for the reference, for autodiff and for every backend. */
import { gradients } from "../../autodiff/gradients.js";
import { createGraph, inputName, type Graph } from "../../graph/graph.js";
import { dtypeOf, shapeOf, typeOf, type Value } from "../../graph/node.js";
import { isDifferentiable } from "../../ops/primitives/elementwise.js";
import { input, parameter } from "../../ops/primitives/leaves.js";
import { createRandom } from "../../random/prng.js";
import type { Random } from "../../random/prng-contract.js";
import type { DimBinding } from "../../tensor/dim.js";
import type { DType } from "../../tensor/dtype.js";
import { hostTensorFrom, type HostTensor } from "../../tensor/host-tensor.js";
import { elementCount, evaluateShape } from "../../tensor/shape.js";
import type { OpCase, ValueSource } from "./op-case.js";

export interface BuiltCase {
  /** The case's inputs. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Inputs for the cotangents of the outputs, undefined where an output has none. */
  readonly cotangents: readonly (Value | undefined)[];
  /** By the differentiable inputs, in their order. */
  readonly gradients: readonly Value[];
}

/** The nodes of a case in one float dtype, with its derivatives unless `forwardOnly`. */
export function buildCase(
  opCase: OpCase,
  dtype: DType,
  { forwardOnly = false }: { readonly forwardOnly?: boolean } = {},
): BuiltCase {
  const inputs = opCase.inputs.map(({ shape, dtype: own, leaf }, i) =>
    (leaf === "parameter" ? parameter : input)(`x${i}`, shape, own === "float" ? dtype : own),
  );
  const outputs = opCase.build(inputs);
  const none = { inputs, outputs, cotangents: outputs.map(() => undefined), gradients: [] };
  if (forwardOnly || opCase.differentiable.length === 0) return none;
  const cotangents = outputs.map((value, i) =>
    isDifferentiable(value) ? input(`d${i}`, shapeOf(value), dtypeOf(value)) : undefined,
  );
  const floats = outputs.filter(isDifferentiable);
  if (floats.length === 0) return none;
  const derived = gradients({
    outputs: floats,
    cotangents: cotangents.filter((value) => value !== undefined),
    wrt: opCase.differentiable.map((i) => inputs[i]!),
  });
  let next = 0;
  return {
    inputs,
    outputs: outputs.map((value) => (isDifferentiable(value) ? derived.outputs[next++]! : value)),
    cotangents,
    gradients: derived.gradients,
  };
}

/** A graph with the outputs `y0`, `y1`, … and the gradients `g0`, … by the differentiable inputs `x0`, … under cotangents `d0`, …. */
export function caseGraph(opCase: OpCase, built: BuiltCase): Graph {
  const named = (letter: string, values: readonly Value[]): [string, Value][] =>
    values.map((value, i) => [`${letter}${i}`, value]);
  const fed = built.cotangents.filter((value) => value !== undefined);
  return createGraph(
    `${opCase.op}: ${opCase.name}`,
    Object.fromEntries([...named("y", built.outputs), ...named("g", built.gradients)]),
    [...built.inputs, ...fed],
  );
}

/** Values for the inputs of {@link caseGraph} under one binding. */
export function caseFeeds(
  opCase: OpCase,
  built: BuiltCase,
  binding: DimBinding,
): Record<string, HostTensor> {
  const random = createRandom(`${opCase.op}: ${opCase.name}`);
  const feeds: Record<string, HostTensor> = {};
  const feed = (value: Value, source: ValueSource): void => {
    const name = inputName(value.node);
    const { shape, dtype } = typeOf(value);
    const sizes = evaluateShape(shape, binding);
    feeds[name] = hostTensorFrom(
      dtype,
      sizes,
      draw(source, elementCount(sizes), random.split(name)),
    );
  };
  built.inputs.forEach((value, i) => feed(value, opCase.inputs[i]!.values));
  for (const value of built.cotangents) if (value) feed(value, { kind: "normal", scale: 1 });
  return feeds;
}

function draw(source: ValueSource, size: number, random: Random): ArrayLike<number> {
  switch (source.kind) {
    case "given":
      return source.values;
    case "integers":
      return Float64Array.from(
        { length: size },
        () => source.low + random.integer(source.below - source.low),
      );
    case "uniform":
      return Float64Array.from(
        { length: size },
        () => source.low + (source.high - source.low) * random.next(),
      );
    case "normal":
      return Float64Array.from({ length: size }, () => source.scale * random.normal());
  }
}
