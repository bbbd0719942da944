/** The walk itself: what is expanded, kept, added up, refused; rules are tested beside, one by one. */
import { describe, expect, it } from "vitest";
import { isDiptychError } from "../errors.js";
import { dtypeOf, shapeOf, type Value } from "../graph/node.js";
import { withOrigin } from "../graph/origin.js";
import { nodesInOrder } from "../graph/traverse.js";
import { l2Normalize } from "../ops/composites/l2-normalize.js";
import { layerNorm } from "../ops/composites/layer-norm.js";
import { mean } from "../ops/composites/mean.js";
import { softmax, logSumExp } from "../ops/composites/softmax.js";
import { gelu } from "../ops/composites/gelu.js";
import {
  add,
  after,
  cast,
  exp,
  mul,
  sigmoid,
  stopGradient,
  sub,
  tanh,
} from "../ops/primitives/elementwise.js";
import { conv2d, matmul } from "../ops/primitives/contraction.js";
import { take } from "../ops/primitives/indexing.js";
import { concat, reshape, sliceAxis } from "../ops/primitives/layout.js";
import { input, iota, parameter } from "../ops/primitives/leaves.js";
import { argmax, sum } from "../ops/primitives/reduction.js";
import { symbolDim } from "../tensor/dim.js";
import { elementCount, staticShape } from "../tensor/shape.js";
import { gradients, type GradientRequest } from "./gradients.js";
import { numbersOf, scattered, slopes } from "./numbers.test-support.js";

const opsOf = (values: readonly Value[]): string[] => nodesInOrder(values).map(({ op }) => op);

function failure(request: GradientRequest): { code: string; message: string } {
  try {
    gradients(request);
  } catch (error) {
    if (isDiptychError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("gradients", () => {
  it("adds up over all uses of a value", () => {
    const x = input("x", [2]);
    const y = add(mul(x, x), add(exp(x), sub(x, mul(x, 3))));
    const { gradients: found } = gradients({ outputs: [sum(y)], wrt: [x] });
    const at = [0.5, -1];
    const [got] = numbersOf(found, { x: at });
    at.forEach((v, i) => expect(got![i]).toBeCloseTo(2 * v + Math.exp(v) - 2, 12));
  });

  it("adds up over several outputs with their cotangents", () => {
    const x = input("x", [2]);
    const c = input("c", [2]);
    const result = gradients({
      outputs: [mul(x, 2), sum(x)],
      cotangents: [c, undefined],
      wrt: [x],
    });
    expect(numbersOf(result.gradients, { x: [1, 1], c: [3, 4] })).toEqual([[7, 9]]);
  });

  it("keeps leaves, and expands only composites without a derivative on the way to wrt", () => {
    const x = input("x", [2, 4]);
    const frozen = input("frozen", [2, 4]);
    const y = mul(l2Normalize(gelu(x)), l2Normalize(frozen));
    const loss = mean(y);
    const result = gradients({ outputs: [loss], wrt: [x] });
    expect(nodesInOrder(result.outputs)).toContain(x.node);
    const ops = opsOf(result.outputs);
    expect(ops.filter((op) => op === "l2Normalize")).toHaveLength(1);
    expect(ops).toContain("gelu");
    expect(ops).not.toContain("mean");
    const feeds = { x: scattered(8, 1), frozen: scattered(8, 2) };
    expect(numbersOf(result.outputs, feeds)[0]![0]).toBeCloseTo(
      numbersOf([loss], feeds)[0]![0]!,
      12,
    );
  });

  it("uses the very nodes of the outputs it returns, so that nothing is computed twice", () => {
    const x = input("x", [2, 3]);
    const result = gradients({ outputs: [sum(logSumExp(tanh(x)))], wrt: [x] });
    const all = nodesInOrder([...result.outputs, ...result.gradients]);
    expect(all.filter(({ op }) => op === "tanh")).toHaveLength(1);
    expect(all.filter(({ op }) => op === "exp")).toHaveLength(1);
  });

  it("maps a wrt that is no leaf, and goes on below it", () => {
    const x = input("x", [3]);
    const middle = mul(x, x);
    const normal = l2Normalize(middle);
    const loss = sum(mul(normal, input("w", [3])));
    const feeds = { x: [1, 2, 3], w: [1, -1, 2] };
    const { gradients: found } = gradients({ outputs: [loss], wrt: [normal, middle, x] });
    const [dNormal, dMiddle, dx] = numbersOf(found, feeds);
    expect(dNormal).toEqual([1, -1, 2]);
    dMiddle!.forEach((d, i) => expect(dx![i]).toBeCloseTo(d * 2 * feeds.x[i]!, 12));
  });

  it("gives zeros of the shape and dtype where nothing flows", () => {
    const x = input("x", [symbolDim("batch"), 2], "bfloat16");
    const lonely = parameter("lonely", [3]);
    const loss = sum(stopGradient(x));
    const { gradients: found } = gradients({ outputs: [loss], wrt: [x, lonely] });
    expect(found.map(dtypeOf)).toEqual(["bfloat16", "float32"]);
    expect(shapeOf(found[0]!)).toEqual(shapeOf(x));
    expect(numbersOf(found, {}, { batch: 2 })).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it("gives a cotangent of 1 to an output that is its own wrt", () => {
    const x = input("x", []);
    expect(numbersOf(gradients({ outputs: [x, mul(x, 3)], wrt: [x] }).gradients, {})).toEqual([
      [4],
    ]);
  });

  it("stops at integers, truth values and stopGradient, and passes after", () => {
    const x = input("x", [3]);
    const rounded = cast(cast(x, "int32"), "float32");
    const picked = take(x, argmax(x, 0));
    const waited = after(mul(x, 2), exp(x));
    const loss = add(sum(add(rounded, stopGradient(mul(x, x)))), add(picked, sum(waited)));
    const { gradients: found } = gradients({ outputs: [loss], wrt: [x] });
    expect(numbersOf(found, { x: [1, 5, 2] })).toEqual([[2, 3, 2]]);
  });

  it("casts cotangents back to the dtype of what was cast", () => {
    const x = input("x", [2], "bfloat16");
    const wide = cast(x, "float32");
    const result = gradients({ outputs: [sum(mul(wide, wide))], wrt: [x] });
    expect(result.gradients.map(dtypeOf)).toEqual(["bfloat16"]);
    expect(numbersOf(result.gradients, { x: [3, -2] })).toEqual([[6, -4]]);
  });

  it("carries the forward node's origin with a mark", () => {
    const x = input("x", [3]);
    const y = withOrigin("visual/block", () => sigmoid(x));
    const result = gradients({ outputs: [sum(y)], wrt: [x] });
    const forward = new Set(nodesInOrder(result.outputs));
    const origins = nodesInOrder(result.gradients)
      .filter((node) => !forward.has(node))
      .map(({ origin }) => origin);
    expect(new Set(origins)).toEqual(new Set(["", "(gradient)", "visual/block (gradient)"]));
    const twice = gradients({ outputs: [sum(result.gradients[0]!)], wrt: [x] });
    const marked = nodesInOrder(twice.gradients).filter(({ origin }) => origin.includes("block"));
    expect(marked.some(({ origin }) => /gradient.*gradient/.test(origin))).toBe(false);
  });

  it("joins slices of one projection by one concatenation", () => {
    const x = input("x", [symbolDim("batch"), 6]);
    const [q, k, v] = [0, 1, 2].map((i) => sliceAxis(x, 1, 2 * i, 2));
    const loss = add(sum(mul(q!, v!)), sum(exp(k!)));
    const { gradients: found } = gradients({ outputs: [loss], wrt: [x] });
    expect(found[0]!.node.op).toBe("concat");
    expect(opsOf(found)).not.toContain("pad");
    const [dx] = numbersOf(found, { x: [1, 2, 0, 0, 5, 6] }, { batch: 1 });
    expect(dx).toEqual([5, 6, 1, 1, 1, 2]);
  });

  it.each([
    [
      "gaps",
      [
        [0, 2],
        [4, 2],
      ],
    ],
    [
      "overlaps",
      [
        [0, 4],
        [2, 4],
      ],
    ],
    [
      "the same window twice",
      [
        [0, 3],
        [0, 3],
      ],
    ],
    [
      "all of it, twice",
      [
        [0, 6],
        [0, 6],
      ],
    ],
  ])("adds up slices with %s", (_, windows) => {
    const x = input("x", [6]);
    const parts = windows.map(([begin, size]) => sliceAxis(x, 0, begin!, size!));
    const { gradients: found } = gradients({
      outputs: parts.map((part) => sum(part)),
      wrt: [x],
    });
    const expected = [0, 1, 2, 3, 4, 5].map(
      (i) => windows.filter(([begin, size]) => i >= begin! && i < begin! + size!).length,
    );
    expect(numbersOf(found, { x: [0, 0, 0, 0, 0, 0] })).toEqual([expected]);
  });

  it("takes outputs of a node one by one", () => {
    const x = input("x", [2, 3]);
    const scale = input("scale", [3]);
    const { invStd } = layerNorm(x, scale, input("bias", [3]));
    const { gradients: found } = gradients({ outputs: [sum(invStd)], wrt: [x, scale] });
    const at = [1, 2, 4, -1, 0, 3];
    const feeds = { x: at, scale: [1, 1, 1], bias: [0, 0, 0] };
    const f = (values: readonly number[]): number[] =>
      [0, 3].map((begin) => {
        const row = values.slice(begin, begin + 3);
        const center = row.reduce((a, b) => a + b) / 3;
        return 1 / Math.sqrt(row.reduce((a, b) => a + (b - center) ** 2, 0) / 3 + 1e-5);
      });
    const [dx, dScale] = numbersOf(found, feeds);
    slopes(f, at, [1, 1]).forEach((slope, i) => expect(dx![i]).toBeCloseTo(slope, 6));
    expect(dScale).toEqual([0, 0, 0]);
  });

  it("walks deep graphs without recursion", () => {
    const x = input("x", []);
    let y: Value = x;
    for (let i = 0; i < 20_000; i++) y = add(y, x);
    expect(numbersOf(gradients({ outputs: [y], wrt: [x] }).gradients, {})).toEqual([[20_001]]);
  });

  it("builds a transformer's weight gradient as one product of flattened rows", () => {
    const [batch, tokens] = [symbolDim("batch"), symbolDim("tokens")];
    const x = input("x", [batch, tokens, 4]);
    const w = parameter("w", [4, 3]);
    const b = parameter("b", [3]);
    const y = add(matmul(x, w), b);
    const { gradients: found } = gradients({
      outputs: [y],
      cotangents: [input("dy", shapeOf(y))],
      wrt: [x, w, b],
    });
    const ops = opsOf(found);
    expect(ops.filter((op) => op === "matmul")).toHaveLength(2);
    expect(ops).not.toContain("transpose");
    // The bias's: rows, then a sum over axis 0.
    expect(found[2]!.node.op).toBe("sum");
    expect(found[2]!.node.attrs["axes"]).toEqual([0]);
  });
});

describe("second derivatives", () => {
  it.each<[string, (x: Value) => Value]>([
    ["x·x·x", (x) => mul(x, mul(x, x))],
    ["exp(sigmoid)", (x) => exp(sigmoid(x))],
    ["tanh", tanh],
    ["gelu", gelu],
    ["softmax", (x) => mul(softmax(x), x)],
    ["l2Normalize", (x) => l2Normalize(x)],
    ["layer norm", (x) => layerNorm(x, input("s", [3]), input("t", [3])).output],
    ["matmul", (x) => matmul(reshape(x, [3, 1]), reshape(mul(x, x), [1, 3]))],
    [
      "concat of takes",
      (x) => mul(concat([take(x, iota(2)), x], 0), concat([x, take(x, iota(2))], 0)),
    ],
    [
      "convolution of an image with itself",
      (x) =>
        conv2d(reshape(mul(x, x), [1, 1, 1, 3]), reshape(x, [1, 1, 1, 3]), {
          padding: [0, 2, 0, 2],
        }),
    ],
  ])("of %s are those of the first", (_, f) => {
    const x = input("x", [3]);
    const y = f(x);
    const w = input("w", shapeOf(y));
    const first = gradients({ outputs: [y], cotangents: [w], wrt: [x] }).gradients[0]!;
    const c = input("c", [3]);
    const second = gradients({ outputs: [first], cotangents: [c], wrt: [x] }).gradients[0]!;
    const feeds = {
      w: scattered(elementCount(staticShape(shapeOf(y), "test")), 5),
      c: scattered(3, 6),
      s: [1, 2, -1],
      t: [0, 1, 0],
    };
    const at = [0.3, -0.7, 1.1];
    const wanted = slopes((v) => numbersOf([first], { ...feeds, x: v })[0]!, at, feeds.c);
    const [got] = numbersOf([second], { ...feeds, x: at });
    wanted.forEach((slope, i) => expect(got![i]).toBeCloseTo(slope, 6));
  });
});

describe("gradients refuses", () => {
  const x = input("x", [2]);

  it("an output that is no scalar and has no cotangent", () => {
    const { code, message } = failure({ outputs: [exp(x)], wrt: [x] });
    expect(code).toBe("SHAPE");
    expect(message).toMatch(/output 0: expected a scalar or a cotangent, got \[2\]/);
  });

  it("a cotangent of another shape or dtype", () => {
    const outputs = [exp(x)];
    expect(failure({ outputs, cotangents: [input("c", [3])], wrt: [x] }).code).toBe("SHAPE");
    const half = input("c", [2], "float16");
    expect(failure({ outputs, cotangents: [half], wrt: [x] }).message).toMatch(/float16/);
  });

  it("outputs and wrt that are no floats, saying why", () => {
    const { code, message } = failure({ outputs: [argmax(x, 0)], wrt: [x] });
    expect(code).toBe("DTYPE");
    expect(message).toMatch(/got int32 from argmax: positions are integers/);
    expect(failure({ outputs: [sum(x)], wrt: [input("ids", [2], "int32")] }).code).toBe("DTYPE");
  });
});
