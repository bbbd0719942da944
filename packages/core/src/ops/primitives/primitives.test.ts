import { describe, expect, it } from "vitest";
import { isDiptychError, ShapeError } from "../../errors.js";
import { typeOf, type Value } from "../../graph/node.js";
import { addDims, mulDims, symbolDim, type Dim } from "../../tensor/dim.js";
import type { DType } from "../../tensor/dtype.js";
import { formatShape } from "../../tensor/shape.js";
import * as ops from "../index.js";
import { opDef } from "../op-table.js";
import { PRIMITIVE_NAMES, type PrimitiveName } from "../primitive-table.js";

const batch = symbolDim("batch");
const tokens = symbolDim("tokens");
const of = (shape: readonly Dim[], dtype: DType = "float32"): Value => ops.input("x", shape, dtype);
const type = (value: Value): string => {
  const { shape, dtype } = typeOf(value);
  return `${dtype}${formatShape(shape)}`;
};
const convolution = { strides: [1, 1], padding: [0, 0, 0, 0], groups: 1 } as const;

/** What each primitive accepts, the type it gives, and what it must refuse with which words. */
const CASES: {
  readonly [Name in PrimitiveName]?: {
    readonly gives: readonly (readonly [() => Value, string])[];
    readonly refuses: readonly (readonly [() => Value, "SHAPE" | "DTYPE", RegExp])[];
  };
} = {
  add: {
    gives: [
      [() => ops.add(of([batch, 1, 8]), of([tokens, 8])), "float32[batch, tokens, 8]"],
      [() => ops.add(1, of([2], "int32")), "int32[2]"],
      [() => ops.add(1, 2), "float32[]"],
    ],
    refuses: [
      [() => ops.add(of([batch]), of([tokens])), "SHAPE", /core\/add.*batch against tokens/],
      [
        () => ops.add(of([2]), of([2], "int32")),
        "DTYPE",
        /float32 and int32. Cast one; nothing is promoted/,
      ],
      [() => ops.add(of([2], "bool"), of([2], "bool")), "DTYPE", /bool/],
    ],
  },
  sub: {
    gives: [[() => ops.sub(of([2, 1]), of([3])), "float32[2, 3]"]],
    refuses: [[() => ops.sub(of([2]), of([3])), "SHAPE", /core\/sub/]],
  },
  mul: {
    gives: [[() => ops.mul(of([2], "bfloat16"), 0.5), "bfloat16[2]"]],
    refuses: [[() => ops.mul(of([2], "float16"), of([2], "bfloat16")), "DTYPE", /core\/mul/]],
  },
  div: {
    gives: [[() => ops.div(1, of([batch])), "float32[batch]"]],
    refuses: [[() => ops.div(of([2]), of([4])), "SHAPE", /core\/div/]],
  },
  max: {
    gives: [[() => ops.max(of([2], "int32"), 0), "int32[2]"]],
    refuses: [[() => ops.max(of([], "bool"), of([], "bool")), "DTYPE", /core\/max/]],
  },
  neg: {
    gives: [[() => ops.neg(of([2], "int32")), "int32[2]"]],
    refuses: [[() => ops.neg(of([2], "bool")), "DTYPE", /core\/neg/]],
  },
  abs: {
    gives: [[() => ops.abs(of([2], "int32")), "int32[2]"]],
    refuses: [[() => ops.abs(of([2], "bool")), "DTYPE", /core\/abs/]],
  },
  exp: {
    gives: [[() => ops.exp(of([batch], "float16")), "float16[batch]"]],
    refuses: [[() => ops.exp(of([2], "int32")), "DTYPE", /core\/exp.*got int32/]],
  },
  log: {
    gives: [[() => ops.log(of([])), "float32[]"]],
    refuses: [[() => ops.log(of([2], "int32")), "DTYPE", /core\/log/]],
  },
  log1p: {
    gives: [[() => ops.log1p(of([])), "float32[]"]],
    refuses: [[() => ops.log1p(of([2], "int32")), "DTYPE", /core\/log1p/]],
  },
  sqrt: {
    gives: [[() => ops.sqrt(of([])), "float32[]"]],
    refuses: [[() => ops.sqrt(of([2], "int32")), "DTYPE", /core\/sqrt/]],
  },
  tanh: {
    gives: [[() => ops.tanh(of([])), "float32[]"]],
    refuses: [[() => ops.tanh(of([2], "bool")), "DTYPE", /core\/tanh/]],
  },
  sigmoid: {
    gives: [[() => ops.sigmoid(of([])), "float32[]"]],
    refuses: [[() => ops.sigmoid(of([2], "bool")), "DTYPE", /core\/sigmoid/]],
  },
  erf: {
    gives: [[() => ops.erf(of([])), "float32[]"]],
    refuses: [[() => ops.erf(of([2], "bool")), "DTYPE", /core\/erf/]],
  },
  compare: {
    gives: [
      [() => ops.less(of([2, 1]), of([3])), "bool[2, 3]"],
      [() => ops.equal(of([2], "bool"), of([2], "bool")), "bool[2]"],
    ],
    refuses: [
      [() => ops.lessEqual(of([2], "bool"), of([2], "bool")), "DTYPE", /core\/compare/],
      [() => ops.greater(of([2]), of([3])), "SHAPE", /3 against 2/],
    ],
  },
  and: {
    gives: [[() => ops.and(of([2, 1], "bool"), of([3], "bool")), "bool[2, 3]"]],
    refuses: [[() => ops.and(of([2]), of([2])), "DTYPE", /core\/and.*bool, got float32/]],
  },
  or: {
    gives: [[() => ops.or(of([2], "bool"), of([2], "bool")), "bool[2]"]],
    refuses: [[() => ops.or(of([2], "bool"), of([3], "bool")), "SHAPE", /core\/or/]],
  },
  not: {
    gives: [[() => ops.not(of([batch], "bool")), "bool[batch]"]],
    refuses: [[() => ops.not(of([2], "int32")), "DTYPE", /core\/not/]],
  },
  select: {
    gives: [
      [() => ops.select(of([2, 1], "bool"), of([3], "float16"), 0), "float16[2, 3]"],
      [() => ops.select(of([], "bool"), of([2], "bool"), of([2], "bool")), "bool[2]"],
    ],
    refuses: [
      [() => ops.select(of([2]), of([2]), 0), "DTYPE", /select condition/],
      [() => ops.select(of([2], "bool"), of([2]), of([2], "int32")), "DTYPE", /core\/select/],
      [() => ops.select(of([2], "bool"), of([3]), of([3])), "SHAPE", /core\/select/],
    ],
  },
  cast: {
    gives: [[() => ops.cast(of([2], "bool"), "int32"), "int32[2]"]],
    refuses: [],
  },
  stopGradient: { gives: [[() => ops.stopGradient(of([2])), "float32[2]"]], refuses: [] },
  after: { gives: [[() => ops.after(of([2]), of([], "bool")), "float32[2]"]], refuses: [] },
  sum: {
    gives: [
      [() => ops.sum(of([batch, 3, 4])), "float32[]"],
      [() => ops.sum(of([batch, 3, 4]), { axes: [-1, 0] }), "float32[3]"],
      [() => ops.sum(of([batch, 3]), { axes: [1], keepDims: true }), "float32[batch, 1]"],
      [() => ops.sum(of([2], "int32"), { axes: [] }), "int32[2]"],
    ],
    refuses: [
      [() => ops.sum(of([2], "bool")), "DTYPE", /expected a number dtype, got bool/],
      [() => ops.sum(of([2]), { axes: [1] }), "SHAPE", /core\/sum: axis/],
    ],
  },
  reduceMax: {
    gives: [[() => ops.reduceMax(of([2, 3]), { axes: [0] }), "float32[3]"]],
    refuses: [[() => ops.reduceMax(of([2], "bool")), "DTYPE", /core\/reduceMax/]],
  },
  argmax: {
    gives: [[() => ops.argmax(of([batch, 3], "float16"), -1), "int32[batch]"]],
    refuses: [[() => ops.argmax(of([2]), 1), "SHAPE", /core\/argmax/]],
  },
  reshape: {
    gives: [
      [
        () => ops.reshape(of([batch, tokens, 8]), [mulDims(batch, tokens), 8]),
        "float32[batch*tokens, 8]",
      ],
      [() => ops.reshape(of([batch, tokens, 8]), [-1, 2, 4]), "float32[batch*tokens, 2, 4]"],
      [
        () => ops.reshape(of([mulDims(batch, addDims(tokens, 1)), 8]), [-1, addDims(tokens, 1), 8]),
        "float32[batch, tokens+1, 8]",
      ],
      [() => ops.reshape(of([1]), []), "float32[]"],
    ],
    refuses: [
      [
        () => ops.reshape(of([batch, 8]), [batch, 9]),
        "SHAPE",
        /expected 8\*batch elements.*got 9\*batch/,
      ],
      [() => ops.reshape(of([batch, 8]), [-1, 3]), "SHAPE", /expected 3 to divide 8\*batch/],
      [() => ops.reshape(of([4]), [-1, -1]), "SHAPE", /core\/reshape/],
      [() => ops.reshape(of([0]), [-1, 0]), "SHAPE", /expected 0 to divide 0/],
    ],
  },
  transpose: {
    gives: [
      [() => ops.transpose(of([batch, 2, 3])), "float32[batch, 3, 2]"],
      [() => ops.transpose(of([batch, 2, 3]), [2, 0, -2]), "float32[3, batch, 2]"],
    ],
    refuses: [
      [
        () => ops.transpose(of([2, 3]), [0, 0]),
        "SHAPE",
        /expected each axis of \[2, 3\] once, got \[0, 0\]/,
      ],
      [() => ops.transpose(of([2, 3]), [0]), "SHAPE", /core\/transpose/],
    ],
  },
  broadcast: {
    gives: [[() => ops.broadcast(of([8, 1]), [batch, 8, tokens]), "float32[batch, 8, tokens]"]],
    refuses: [
      [() => ops.broadcast(of([2]), [3]), "SHAPE", /core\/broadcast/],
      [() => ops.broadcast(of([2, 3]), [3]), "SHAPE", /core\/broadcast/],
      [() => ops.broadcast(of([3]), [1]), "SHAPE", /that \[3\] stretches to, got \[1\]/],
    ],
  },
  slice: {
    gives: [
      [
        () => ops.slice(of([batch, tokens]), [0, 1], [batch, addDims(tokens, -1)]),
        "float32[batch, tokens-1]",
      ],
      [() => ops.sliceAxis(of([4, 6]), -1, 2, 4), "float32[4, 4]"],
    ],
    refuses: [
      [
        () => ops.slice(of([4]), [2], [3]),
        "SHAPE",
        /expected a window inside \[4\], got \[3\] at \[2\]/,
      ],
      [() => ops.slice(of([4]), [-1], [3]), "SHAPE", /core\/slice/],
      [() => ops.slice(of([tokens]), [1], [tokens]), "SHAPE", /core\/slice/],
      [() => ops.slice(of([4, 4]), [0], [4]), "SHAPE", /core\/slice/],
    ],
  },
  pad: {
    gives: [
      [() => ops.pad(of([2, tokens]), [1, 0], [4, addDims(tokens, 3)]), "float32[4, tokens+3]"],
    ],
    refuses: [[() => ops.pad(of([3]), [2], [4]), "SHAPE", /core\/pad/]],
  },
  concat: {
    gives: [
      [
        () => ops.concat([of([batch, 1, 8]), of([batch, tokens, 8])], 1),
        "float32[batch, tokens+1, 8]",
      ],
    ],
    refuses: [
      [
        () => ops.concat([of([2, 3]), of([4, 5])], 0),
        "SHAPE",
        /equal axes but 0, got float32\[2, 3\], float32\[4, 5\]/,
      ],
      [() => ops.concat([of([2]), of([2], "int32")], 0), "SHAPE", /one dtype/],
      [() => ops.concat([], 0), "SHAPE", /at least one/],
      [() => ops.concat([of([]), of([])], 0), "SHAPE", /core\/concat/],
    ],
  },
  take: {
    gives: [
      [() => ops.take(of([100, 8]), of([batch, tokens], "int32")), "float32[batch, tokens, 8]"],
      [() => ops.take(of([4, 5, 6]), of([], "int32"), 1), "float32[4, 6]"],
    ],
    refuses: [
      [() => ops.take(of([4]), of([2])), "DTYPE", /indices: expected int32, got float32/],
      [() => ops.take(of([4]), of([2], "int32"), 1), "SHAPE", /core\/take/],
    ],
  },
  takeAlong: {
    gives: [[() => ops.takeAlong(of([batch, 9]), of([batch, 1], "int32"), 1), "float32[batch, 1]"]],
    refuses: [
      [
        () => ops.takeAlong(of([batch, 9]), of([tokens, 1], "int32"), 1),
        "SHAPE",
        /equal axes but 1/,
      ],
      [() => ops.takeAlong(of([2]), of([2]), 0), "DTYPE", /core\/takeAlong/],
    ],
  },
  scatterAdd: {
    gives: [
      [
        () => ops.scatterAdd(of([9, 4]), of([batch, 4], "int32"), of([batch, 4]), 0),
        "float32[9, 4]",
      ],
    ],
    refuses: [
      [
        () => ops.scatterAdd(of([9]), of([2], "int32"), of([3]), 0),
        "SHAPE",
        /expected the shape of indices \[2\], got \[3\]/,
      ],
      [
        () => ops.scatterAdd(of([9]), of([2], "int32"), of([2], "float16"), 0),
        "DTYPE",
        /expected float32 as x, got float16/,
      ],
      [() => ops.scatterAdd(of([9, 4]), of([2, 5], "int32"), of([2, 5]), 0), "SHAPE", /equal axes/],
    ],
  },
  matmul: {
    gives: [
      [() => ops.matmul(of([batch, tokens, 8]), of([8, 3])), "float32[batch, tokens, 3]"],
      [() => ops.matmul(of([batch, 1, 2, 8]), of([4, 8, 3])), "float32[batch, 4, 2, 3]"],
      [
        () => ops.matmul(of([8, 2]), of([3, 8]), { transposeA: true, transposeB: true }),
        "float32[2, 3]",
      ],
    ],
    refuses: [
      [() => ops.matmul(of([2, 8]), of([7, 3])), "SHAPE", /\(8 against 7\)/],
      [() => ops.matmul(of([2, 8]), of([3, 8])), "SHAPE", /core\/matmul/],
      [() => ops.matmul(of([8]), of([8, 3])), "SHAPE", /core\/matmul/],
      [() => ops.matmul(of([2, 3, 4]), of([5, 4, 3])), "SHAPE", /2 against 5/],
      [() => ops.matmul(of([2, 2], "int32"), of([2, 2], "int32")), "DTYPE", /one float dtype/],
    ],
  },
  conv2d: {
    gives: [
      [
        () =>
          ops.conv2d(of([batch, 3, 224, 224]), of([64, 3, 7, 7]), {
            strides: [2, 2],
            padding: [3, 3, 3, 3],
          }),
        "float32[batch, 64, 112, 112]",
      ],
      [
        () => ops.conv2d(of([1, 4, 5, 6]), of([8, 2, 3, 2]), { groups: 2, padding: [0, 0, 1, 0] }),
        "float32[1, 8, 4, 5]",
      ],
    ],
    refuses: [
      [() => ops.conv2d(of([1, 3, 8, 8]), of([4, 2, 3, 3])), "SHAPE", /\[O, C\/groups, kh, kw\]/],
      [() => ops.conv2d(of([1, 4, 8, 8]), of([3, 2, 3, 3]), { groups: 2 }), "SHAPE", /groups 2/],
      [
        () => ops.conv2d(of([1, 3, 2, 8]), of([4, 3, 3, 3])),
        "SHAPE",
        /at least the kernel's 3 pixels, got 2/,
      ],
      [
        () => ops.conv2d(of([1, 3, batch, 8]), of([4, 3, 3, 3])),
        "SHAPE",
        /expected integers, got batch/,
      ],
      [() => ops.conv2d(of([3, 8, 8]), of([4, 3, 3, 3])), "SHAPE", /core\/conv2d/],
      [
        () => ops.conv2d(of([1, 3, 8, 8]), of([4, 3, 3, 3]), { strides: [0, 1] }),
        "SHAPE",
        /at least 1/,
      ],
      [() => ops.conv2d(of([1, 3, 8, 8]), of([4, 3, 3, 3], "float16")), "DTYPE", /core\/conv2d/],
    ],
  },
  conv2dInputGradient: {
    gives: [
      [
        () =>
          ops.conv2dInputGradient(of([2, 4, 6, 6]), of([4, 3, 3, 3]), [2, 3, 8, 8], convolution),
        "float32[2, 3, 8, 8]",
      ],
    ],
    refuses: [
      [
        () =>
          ops.conv2dInputGradient(of([2, 4, 5, 6]), of([4, 3, 3, 3]), [2, 3, 8, 8], convolution),
        "SHAPE",
        /expected \[2, 4, 6, 6\] as conv2d gives, got \[2, 4, 5, 6\]/,
      ],
    ],
  },
  conv2dFilterGradient: {
    gives: [
      [
        () =>
          ops.conv2dFilterGradient(of([2, 3, 8, 8]), of([2, 4, 6, 6]), [4, 3, 3, 3], convolution),
        "float32[4, 3, 3, 3]",
      ],
    ],
    refuses: [
      [
        () =>
          ops.conv2dFilterGradient(of([2, 3, 8, 8]), of([2, 5, 6, 6]), [4, 3, 3, 3], convolution),
        "SHAPE",
        /as conv2d gives/,
      ],
    ],
  },
};

const LEAVES: readonly PrimitiveName[] = ["input", "parameter", "constant", "iota", "dimSize"];

describe.each(PRIMITIVE_NAMES.filter((name) => !LEAVES.includes(name)))("%s", (name) => {
  const { gives, refuses } = CASES[name] ?? { gives: [], refuses: [] };

  it("infers its type", () => {
    expect(gives.length).toBeGreaterThan(0);
    for (const [make, expected] of gives) expect(type(make())).toBe(expected);
  });

  it("refuses what does not fit, with a reason", () => {
    for (const [make, code, words] of refuses) {
      expect(make).toThrow(words);
      let thrown: unknown;
      try {
        make();
      } catch (error) {
        thrown = error;
      }
      expect(isDiptychError(thrown, code), `${name}: ${String(thrown)}`).toBe(true);
    }
  });

  it("refuses another number of operands", () => {
    const { node } = gives[0]![0]();
    const types = node.inputs.map(typeOf);
    const { infer } = opDef(node.op);
    expect(() => infer(types, node.attrs)).not.toThrow();
    expect(() => infer([], node.attrs)).toThrow(ShapeError);
    if (name !== "concat")
      expect(() => infer([...types, types[0]!], node.attrs)).toThrow(ShapeError);
  });
});

describe("leaves", () => {
  it("have the types they are given", () => {
    expect(type(ops.input("x", [batch, 3], "bool"))).toBe("bool[batch, 3]");
    expect(type(ops.parameter("w", [3]))).toBe("float32[3]");
    expect(type(ops.scalar(2, "bfloat16"))).toBe("bfloat16[]");
    expect(type(ops.iota(addDims(tokens, 1)))).toBe("int32[tokens+1]");
    expect(type(ops.dimSize(batch))).toBe("int32[]");
    expect(() => ops.input("x", [-1])).toThrow(ShapeError);
  });
});

describe("builders", () => {
  it("give their operand where nothing would change", () => {
    const x = of([2, 3]);
    expect(ops.reshape(x, [2, 3])).toBe(x);
    expect(ops.broadcast(x, [2, 3])).toBe(x);
    expect(ops.cast(x, "float32")).toBe(x);
    expect(ops.concat([x], 0)).toBe(x);
  });

  it("flatten the rows of a product with one matrix", () => {
    const product = ops.matmul(of([batch, tokens, 8]), of([8, 3]));
    expect(product.node.op).toBe("reshape");
    expect(type(product.node.inputs[0]!)).toBe("float32[batch*tokens, 3]");
  });
});
