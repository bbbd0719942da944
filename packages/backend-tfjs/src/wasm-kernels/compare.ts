/** Comparisons of numbers of one shape, or with one number: the engine's kernel takes six times as long. */
import { elementCount } from "@diptych/core";
import type { Comparison } from "@diptych/core/backend";
import {
  heapOf,
  inputOf,
  numbersOf,
  startOf,
  type Numbers,
  type WasmKernel,
} from "./wasm-memory.js";

/** Entries, and 1, or 0 where one number stands beside all of the other's. */
type Operand = readonly [numbers: Numbers, step: number];

type Loop = (y: Uint8Array, a: Operand, b: Operand) => void;

/** 1 or 0 without a branch, which would be foretold wrongly for every second entry. */
const bit = (holds: boolean): number => (holds as unknown as number) | 0;

/** A loop each: what is called for each entry would cost more than the comparison. */
const LOOPS: Readonly<Record<Comparison, Loop>> = {
  equal: (y, [a, stepA], [b, stepB]) => {
    for (let i = 0, j = 0, k = 0; i < y.length; i++, j += stepA, k += stepB)
      y[i] = bit(a[j] === b[k]);
  },
  less: (y, [a, stepA], [b, stepB]) => {
    for (let i = 0, j = 0, k = 0; i < y.length; i++, j += stepA, k += stepB)
      y[i] = bit(a[j]! < b[k]!);
  },
  lessEqual: (y, [a, stepA], [b, stepB]) => {
    for (let i = 0, j = 0, k = 0; i < y.length; i++, j += stepA, k += stepB)
      y[i] = bit(a[j]! <= b[k]!);
  },
};

/** Of the given shape, bool. */
export const compare: WasmKernel = (call) => {
  const { backend } = call;
  const { comparison, shape } = call.attrs as { comparison: Comparison; shape: readonly number[] };
  const y = backend.makeOutput([...shape], "bool");
  const size = elementCount(shape);
  const [a, b] = [inputOf(call, "a"), inputOf(call, "b")].map((x): Operand => {
    return [numbersOf(backend, x), elementCount(x.shape) === 1 ? 0 : 1];
  }) as [Operand, Operand];
  const start = startOf(backend, y);
  LOOPS[comparison](heapOf(backend, "bool").subarray(start, start + size) as Uint8Array, a, b);
  return y;
};
