/** What device tensors and whole backends promise: copies, writes, lifetimes, memory. */
import {
  createHostTensor,
  hostTensorFrom,
  isDiptychError,
  type Backend,
  type DType,
  type HostTensor,
} from "@diptych/core";
import { expect } from "vitest";
import type { ContractCheck } from "../contract-check.js";
import { expectClose } from "../matchers.js";
import { denseGraph, drawn, floats } from "./graphs.js";
import { holding } from "./held.js";
import type { BackendSubject } from "./op-checks.js";

/** Values at the ends of each dtype. */
const SAMPLES: Readonly<Record<DType, HostTensor>> = {
  float32: hostTensorFrom("float32", [2, 3], [0, -1.5, 3.4e38, 1e-38, Infinity, -Infinity]),
  float16: hostTensorFrom("float16", [2, 2], [0.5, -65504, 6e-8, Infinity]),
  bfloat16: hostTensorFrom("bfloat16", [3], [1, -3e38, 1e-30]),
  int32: hostTensorFrom("int32", [4], [0, -1, 2 ** 31 - 1, -(2 ** 31)]),
  bool: hostTensorFrom("bool", [1, 3], [1, 0, 1]),
};

const refused = (error: unknown): boolean => isDiptychError(error, "BACKEND");

const tensorChecks: readonly ContractCheck<BackendSubject>[] = [
  {
    name: "tensors come back as they were uploaded, in each dtype",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        for (const dtype of backend.capabilities.dtypes) {
          const tensor = await held.upload(SAMPLES[dtype]);
          expect(tensor.dtype).toBe(dtype);
          expect(tensor.shape).toEqual(SAMPLES[dtype].shape);
          expectClose(await tensor.read(), SAMPLES[dtype], { relativeToLargest: 0, what: dtype });
        }
      }),
  },
  {
    name: "scalars and empty tensors are tensors too",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        for (const shape of [[], [0], [0, 3], [1, 1]]) {
          const tensor = await held.upload(drawn(shape, 1));
          expectClose(await tensor.read(), drawn(shape, 1), { relativeToLargest: 0 });
        }
      }),
  },
  {
    name: "upload and read copy",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        const data = Float32Array.of(1, 2);
        const tensor = await held.upload(createHostTensor("float32", [2], data));
        data.fill(9);
        const first = await tensor.read();
        first.data.fill(7);
        expectClose(await tensor.read(), floats(1, 2), { relativeToLargest: 0 });
      }),
  },
  {
    name: "write replaces the values, of the same dtype and shape alone",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        const tensor = await held.upload(floats(1, 2, 3));
        await tensor.write(floats(4, 5, 6));
        expectClose(await tensor.read(), floats(4, 5, 6), { relativeToLargest: 0 });
        const misfits = [floats(1, 2), drawn([3, 1], 1), hostTensorFrom("int32", [3], [1, 2, 3])];
        for (const misfit of misfits)
          await expect(tensor.write(misfit)).rejects.toSatisfy((error) => isDiptychError(error));
        expectClose(await tensor.read(), floats(4, 5, 6), { relativeToLargest: 0 });
      }),
  },
  {
    name: "a disposed tensor cannot be read, written or fed; disposing twice does nothing",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        const executable = await held.compile(denseGraph());
        const tensor = await held.upload(drawn([3, 2], 1));
        const other = await held.upload(drawn([3, 2], 2));
        tensor.dispose();
        tensor.dispose();
        await expect(tensor.read()).rejects.toSatisfy(refused);
        await expect(tensor.write(drawn([3, 2], 1))).rejects.toSatisfy(refused);
        await expect(executable.run({ x: drawn([1, 3], 1), w: tensor })).rejects.toSatisfy(refused);
        expectClose(await other.read(), drawn([3, 2], 2), { relativeToLargest: 0 });
      }),
  },
  {
    name: "memory counts live tensors and their bytes",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        const before = backend.memory();
        const tensor = await held.upload(drawn([10, 10], 1));
        const after = backend.memory();
        expect(after.tensors - before.tensors).toBe(1);
        expect(after.bytes - before.bytes).toBeGreaterThanOrEqual(400);
        tensor.dispose();
        expect(backend.memory()).toEqual(before);
      }),
  },
  {
    name: "a disposed executable does not run; disposing twice does nothing",
    run: ({ backend }) =>
      holding(backend, async (held) => {
        const executable = await held.compile(denseGraph());
        await executable.dispose();
        await executable.dispose();
        const feeds = { x: drawn([1, 3], 1), w: drawn([3, 2], 2) };
        await expect(executable.run(feeds)).rejects.toSatisfy(refused);
      }),
  },
  {
    name: "a backend describes itself in one line",
    run: ({ backend }) => {
      expect(backend.name).not.toBe("");
      expect(backend.describe()).toMatch(/^[^\n]+$/);
    },
  },
];

/** Takes a backend of its own, as it ends it. */
export const disposalCheck: ContractCheck<() => Promise<Backend>> = {
  name: "dispose frees everything, also what was left alive, and ends the backend",
  run: async (create) => {
    const backend = await create();
    const executable = await backend.compile(denseGraph());
    const weights = await backend.upload(drawn([3, 2], 2));
    await executable.run({ x: drawn([2, 3], 1), w: weights });
    expect(backend.memory().tensors).toBe(2);
    await backend.dispose();
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    await expect(backend.compile(denseGraph())).rejects.toSatisfy(refused);
    await expect(backend.upload(drawn([1], 1))).rejects.toSatisfy(refused);
    await backend.dispose();
  },
};

export { tensorChecks };
