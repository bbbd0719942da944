import { describe, expect, it } from "vitest";
import { DtypeError, ShapeError } from "../errors.js";
import {
  createHostTensor,
  equalHostTensors,
  hostBytes,
  hostTensorFrom,
  hostValues,
  scalarHost,
  scalarValue,
  zerosHost,
} from "./host-tensor.js";

describe("createHostTensor", () => {
  it("keeps the array and freezes the rest", () => {
    const data = new Float32Array(6);
    const tensor = createHostTensor("float32", [2, 3], data);
    expect(tensor.data).toBe(data);
    expect(Object.isFrozen(tensor)).toBe(true);
    expect(Object.isFrozen(tensor.shape)).toBe(true);
  });

  it("refuses another size, another array, and sizes that are none", () => {
    expect(() => createHostTensor("float32", [2, 3], new Float32Array(5))).toThrow(
      /expected 6 elements for \[2, 3\], got 5/,
    );
    expect(() => createHostTensor("int32", [2], new Float32Array(2) as never)).toThrow(DtypeError);
    expect(() => createHostTensor("float16", [2], new Float32Array(2) as never)).toThrow(
      /expected Uint16Array for float16, got Float32Array/,
    );
    expect(() => createHostTensor("bool", [-1, -2], new Uint8Array(2))).toThrow(ShapeError);
    expect(() => createHostTensor("bool", [0.5, 4], new Uint8Array(2))).toThrow(ShapeError);
  });
});

describe("values", () => {
  const numbers = [0, -0, 1.5, -3.9, 1e9];

  it("are rounded to the dtype and decoded again", () => {
    const round = (dtype: "float32" | "float16" | "bfloat16" | "int32" | "bool"): number[] => [
      ...hostValues(hostTensorFrom(dtype, [5], numbers)),
    ];
    expect(round("float32")).toEqual([0, -0, 1.5, Math.fround(-3.9), 1e9]);
    expect(round("float16")).toEqual([0, -0, 1.5, -3.900390625, Infinity]);
    expect(round("bfloat16")).toEqual([0, -0, 1.5, -3.90625, 998244352]);
    expect(round("int32")).toEqual([0, 0, 1, -3, 1e9]);
    expect(round("bool")).toEqual([0, 0, 1, 1, 1]);
  });

  it("of scalars", () => {
    expect(scalarValue(scalarHost("bfloat16", 3))).toBe(3);
    expect(scalarHost("int32", 3).shape).toEqual([]);
    expect(() => scalarValue(zerosHost("float32", [2]))).toThrow(/expected one element, got \[2\]/);
  });

  it("compare by dtype, shape and bits", () => {
    const a = hostTensorFrom("float32", [2], [0, NaN]);
    expect(equalHostTensors(a, hostTensorFrom("float32", [2], [0, NaN]))).toBe(true);
    expect(equalHostTensors(a, hostTensorFrom("float32", [2], [-0, NaN]))).toBe(false);
    expect(equalHostTensors(a, hostTensorFrom("float32", [1, 2], [0, NaN]))).toBe(false);
    const zeros = zerosHost("float16", [2]);
    expect(equalHostTensors(zeros, zerosHost("bfloat16", [2]))).toBe(false);
  });

  it("show their bytes without a copy, also of a part of a buffer", () => {
    const data = new Float32Array([0, 1, 2]).subarray(1);
    const bytes = hostBytes(createHostTensor("float32", [2], data));
    expect([...bytes]).toEqual([0, 0, 128, 63, 0, 0, 0, 64]);
    data[0] = 0;
    expect(bytes[3]).toBe(0);
  });
});
