import { createHash } from "node:crypto";
import { hostTensorFrom, zerosHost, type HostTensor } from "@diptych/core";
import { describe, expect, test } from "vitest";
import { weightsFingerprint } from "./fingerprint.js";

const weights = (entries: Readonly<Record<string, HostTensor>>): ReadonlyMap<string, HostTensor> =>
  new Map(Object.entries(entries));

const a = hostTensorFrom("float32", [2, 3], [1, 2, 3, 4, 5, 6]);
const b = hostTensorFrom("float32", [2], [0.5, -0.5]);
const known = weightsFingerprint(weights({ a, b }));

describe("weightsFingerprint", () => {
  test("is SHA-256 over names, dtypes, shapes and bytes in the order of names", () => {
    const hash = createHash("sha256")
      .update('["a","float32",[2,3]]')
      .update(new Uint8Array(a.data.buffer))
      .update('["b","float32",[2]]')
      .update(new Uint8Array(b.data.buffer));
    expect(known).toBe(hash.digest("hex"));
  });

  test("does not depend on the order of the map", () => {
    expect(weightsFingerprint(weights({ b, a }))).toBe(known);
  });

  test.each([
    ["one bit of one value", { a, b: hostTensorFrom("float32", [2], [0.5, -0.5000001]) }],
    ["a shape", { a: hostTensorFrom("float32", [3, 2], [1, 2, 3, 4, 5, 6]), b }],
    ["a dtype", { a, b: hostTensorFrom("float16", [2], [0.5, -0.5]) }],
    ["a name", { a, c: b }],
    ["names that change places", { b: a, a: b }],
    ["a tensor less", { a }],
  ])("changes with %s", (_, changed) => {
    expect(weightsFingerprint(weights(changed))).not.toBe(known);
  });

  test("tells zero from minus zero", () => {
    expect(weightsFingerprint(weights({ a: hostTensorFrom("float32", [1], [0]) }))).not.toBe(
      weightsFingerprint(weights({ a: hostTensorFrom("float32", [1], [-0]) })),
    );
  });

  test("reads only the view's part of a larger buffer", () => {
    const buffer = new Float32Array([9, 0.5, -0.5, 9]);
    const view: HostTensor = { dtype: "float32", shape: [2], data: buffer.subarray(1, 3) };
    expect(weightsFingerprint(weights({ a, b: view }))).toBe(known);
  });

  test("passes through more bytes than one chunk holds", () => {
    const size = 2 ** 24 + 5;
    const large = zerosHost("float32", [size]);
    const changed = zerosHost("float32", [size]);
    changed.data[size - 1] = 1;
    expect(weightsFingerprint(weights({ large }))).not.toBe(
      weightsFingerprint(weights({ large: changed })),
    );
  });
});
