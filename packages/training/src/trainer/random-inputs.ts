/** Values of a step's random inputs: each row is drawn from a stream of its own, keyed by (seed, step, input, row). */
import { createHostTensor, createRandom, type HostTensor, type Random } from "@diptych/core";
import type { RandomInput } from "../train-step/train-step.js";

/** Draws every random input of one step, by name. The same arguments give the same values, whatever came before. */
export function drawRandomInputs(
  inputs: readonly RandomInput[],
  seed: number,
  step: number,
): Readonly<Record<string, HostTensor>> {
  if (inputs.length === 0) return {};
  const stream = createRandom(seed).split("step").split(step);
  return Object.fromEntries(
    inputs.map((input) => [input.name, drawRandomInput(input, stream.split(input.name))]),
  );
}

function drawRandomInput({ shape, distribution }: RandomInput, random: Random): HostTensor {
  const [rows = 1, ...rest] = shape;
  const width = rest.reduce((product, size) => product * size, 1);
  if (distribution.kind === "subset") {
    const positions = new Int32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      positions.set(drawSubset(random.split(row), distribution.among, width), row * width);
    }
    return createHostTensor("int32", shape, positions);
  }
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const out = values.subarray(row * width, (row + 1) * width);
    const stream = random.split(row);
    if (distribution.kind === "normal") stream.fillNormal(out);
    else stream.fillUniform(out);
    if (distribution.kind === "dropout") keepSome(out, distribution.keep);
  }
  return createHostTensor("float32", shape, values);
}

function drawSubset(random: Random, among: number, kept: number): Int32Array {
  return Int32Array.from(random.permutation(among).subarray(0, kept)).sort();
}

/** Uniform numbers to inverted dropout: 1/keep with probability keep, else 0. */
function keepSome(values: Float32Array, keep: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! < keep ? 1 / keep : 0;
}
