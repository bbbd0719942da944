/** Runs a graph on the ONNX backend and on the reference, and compares all outputs. */
import {
  createGraph,
  hostTensorFrom,
  hostValues,
  type Backend,
  type DType,
  type HostTensor,
  type Value,
} from "@diptych/core";
import { evaluateGraph } from "@diptych/core/reference";
import { expect } from "vitest";

/** Reproducible numbers in [-1, 1) (a linear congruential generator). */
function numbers(size: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: size }, () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 31 - 1;
  });
}

/** A host tensor of reproducible numbers. */
export function sample(shape: readonly number[], seed = 1, dtype: DType = "float32"): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const scale = dtype === "int32" ? 9 : 1;
  const values = numbers(size, seed).map((value) => value * scale);
  return hostTensorFrom(
    dtype,
    shape,
    dtype === "bool"
      ? values.map((value) => (value > 0 ? 1 : 0))
      : values.map((v) => (dtype === "int32" ? Math.trunc(v) : v)),
  );
}

/** Expects the backend's outputs to be the reference's. */
export async function expectAsReference(
  backend: Backend,
  outputs: Readonly<Record<string, Value>>,
  feeds: Readonly<Record<string, HostTensor>>,
  tolerance = 2e-6,
): Promise<void> {
  const graph = createGraph("case", outputs);
  const expected = evaluateGraph(graph, feeds);
  const executable = await backend.compile(graph);
  const results = await executable.run(feeds);
  for (const [name, tensor] of Object.entries(results)) {
    const wanted = expected[name];
    const host = await tensor.read();
    tensor.dispose();
    expect(host.shape, name).toEqual(wanted?.shape);
    hostValues(host).forEach((value, i) => {
      const right = Math.fround(Number(wanted?.data[i]));
      const close =
        Object.is(value, right) ||
        value === right ||
        Math.abs(value - right) <= tolerance * Math.max(1, Math.abs(right));
      if (!close) expect.fail(`${name}[${i}]: expected ${right}, got ${value}`);
    });
  }
  await executable.dispose();
}
