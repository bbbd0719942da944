import { describe, expect, it } from "vitest";
import type { Value } from "../graph/node.js";
import * as ops from "../ops/index.js";
import { symbolDim } from "../tensor/dim.js";
import { hostTensorFrom } from "../tensor/host-tensor.js";
import { checkGradients, findGradientMismatches } from "./gradient-check.js";

const at = (shape: readonly number[], values: readonly number[]) => ({
  shape,
  values: hostTensorFrom("float32", shape, values),
});

describe("checkGradients", () => {
  it("passes what is right, also with several inputs, outputs and integers", () => {
    checkGradients({
      what: "product and quotient",
      build: ([a, b, rows]) => [
        ops.mul(a!, b!),
        ops.take(ops.div(a!, b!), rows!),
        ops.argmax(a!, 0),
      ],
      inputs: [
        at([3], [1, -2, 3]),
        at([3], [0.5, 2, 4]),
        { shape: [2], values: hostTensorFrom("int32", [2], [0, 2]) },
      ],
    });
  });

  it("names input, entry and both numbers where the gradient is wrong", () => {
    const check = {
      what: "half a square",
      // The derivative through stopGradient is missing: x instead of 2x.
      build: ([y, x]: readonly Value[]) => [ops.add(y!, ops.mul(ops.stopGradient(x!), x!))],
      inputs: [at([2], [1, 1]), at([2], [0, 3])],
    };
    expect(() => checkGradients(check)).toThrow(
      /half a square: input 1, entry 1: expected -?[\d.]+ as central differences, got -?[\d.]+ \(1 entries differ\)/,
    );
    const [mismatch] = findGradientMismatches(check);
    expect(mismatch!.expected / mismatch!.got).toBeCloseTo(2, 6);
  });

  it("finds an error of one part in ten thousand", () => {
    const wrong = {
      what: "slightly wrong",
      build: ([x]: readonly Value[]) => [
        ops.add(ops.exp(x!), ops.mul(ops.stopGradient(ops.exp(x!)), 1e-4)),
      ],
      inputs: [at([2], [0.3, -1])],
    };
    expect(findGradientMismatches(wrong)).toHaveLength(2);
  });

  it("takes a gradient that is not finite for wrong", () => {
    const check = {
      what: "0/0",
      build: ([x]: readonly Value[]) => [ops.log(ops.abs(x!))],
      inputs: [at([1], [0])],
    };
    expect(findGradientMismatches(check)).toHaveLength(1);
  });

  it("binds symbols that no input shows", () => {
    const n = symbolDim("n");
    checkGradients({
      what: "stretched",
      build: ([x]) => [ops.broadcast(x!, [n, 2])],
      inputs: [at([2], [1, 2])],
      binding: { n: 3 },
    });
  });
});
