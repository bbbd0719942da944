/** Each composite's value against its formula in float64, and its own gradient against central differences of it. */
import { describe, expect, it } from "vitest";
import { gradients } from "../../autodiff/gradients.js";
import { numbersOf, scattered, slopes } from "../../autodiff/numbers.test-support.js";
import { dtypeOf, shapeOf, typeOf, type Value } from "../../graph/node.js";
import { symbolDim, type DimBinding } from "../../tensor/dim.js";
import { elementCount, evaluateShape, type Shape } from "../../tensor/shape.js";
import { COMPOSITES_WITH_GRADIENT, type CompositeName } from "../composite-table.js";
import { COMPOSITE_DEFS, COMPOSITE_NAMES } from "../composite-defs.js";
import { compositeDef } from "../op-table.js";
import { greater } from "../primitives/elementwise.js";
import { input } from "../primitives/leaves.js";
import { attention } from "./attention.js";
import { avgPool2d } from "./avg-pool-2d.js";
import { batchNorm } from "./batch-norm.js";
import { clamp } from "./clamp.js";
import { countTrue } from "./count-true.js";
import { gelu, geluTanh, quickGelu } from "./gelu.js";
import { l2Normalize } from "./l2-normalize.js";
import { layerNorm } from "./layer-norm.js";
import { mean } from "./mean.js";
import { relu } from "./relu.js";
import { logSoftmax, logSumExp, softmax } from "./softmax.js";
import { softplus } from "./softplus.js";

type Columns = readonly (readonly number[])[];

interface Case {
  readonly shapes: readonly Shape[];
  readonly binding?: DimBinding;
  readonly build: (operands: readonly Value[]) => readonly Value[];
  /** The outputs one after another, from the operands' numbers, in float64. */
  readonly formula: (operands: Columns) => readonly (readonly number[])[];
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const average = (values: readonly number[]): number => total(values) / values.length;
const rowsOf = (values: readonly number[], width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
const logSum = (row: readonly number[]): number => {
  const top = Math.max(...row);
  return top + Math.log(total(row.map((value) => Math.exp(value - top))));
};
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
/** Φ by Simpson's rule, so that the test does not share the evaluator's erf. */
const normalBelow = (x: number): number => {
  const steps = 2000;
  const density = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  const terms = Array.from(
    { length: steps + 1 },
    (_, i) => density((x * i) / steps) * (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2),
  );
  return 0.5 + (total(terms) * x) / (3 * steps);
};

function elementwise(build: (x: Value) => Value, f: (x: number) => number): Case {
  return {
    shapes: [[4, 5]],
    build: ([x]) => [build(x!)],
    formula: ([x]) => [x!.map(f)],
  };
}

const perRow = (f: (row: readonly number[]) => readonly number[], width: number) => {
  return (values: readonly number[]): number[] => rowsOf(values, width).flatMap(f);
};

const CASES: Readonly<Record<CompositeName, Case>> = {
  mean: {
    shapes: [[symbolDim("batch"), 3, 2]],
    binding: { batch: 4 },
    build: ([x]) => [
      mean(x!, { axes: [0, 2] }),
      mean(x!),
      mean(x!, { axes: [-1], keepDims: true }),
    ],
    formula: ([x]) => [
      [0, 1, 2].map((i) => average(x!.filter((_, at) => Math.floor(at / 2) % 3 === i))),
      [average(x!)],
      rowsOf(x!, 2).map(average),
    ],
  },
  countTrue: {
    shapes: [[symbolDim("batch"), 3, 2]],
    binding: { batch: 4 },
    build: ([x]) => {
      const mask = greater(x!, 0);
      return [
        countTrue(mask, { axes: [0, 2] }),
        countTrue(mask),
        countTrue(mask, { axes: [-1], keepDims: true }),
      ];
    },
    formula: ([x]) => {
      const held = x!.map((value) => Number(value > 0));
      return [
        [0, 1, 2].map((i) => total(held.filter((_, at) => Math.floor(at / 2) % 3 === i))),
        [total(held)],
        rowsOf(held, 2).map(total),
      ];
    },
  },
  softmax: {
    shapes: [[3, 4]],
    build: ([x]) => [softmax(x!)],
    formula: ([x]) => [perRow((row) => row.map((v) => Math.exp(v - logSum(row))), 4)(x!)],
  },
  logSoftmax: {
    shapes: [[3, symbolDim("classes")]],
    binding: { classes: 5 },
    build: ([x]) => [logSoftmax(x!)],
    formula: ([x]) => [perRow((row) => row.map((v) => v - logSum(row)), 5)(x!)],
  },
  logSumExp: {
    shapes: [[2, 3, 4]],
    build: ([x]) => [logSumExp(x!), logSumExp(x!, { axis: 2, keepDims: true })],
    formula: ([x]) => [rowsOf(x!, 4).map(logSum), rowsOf(x!, 4).map(logSum)],
  },
  relu: elementwise(relu, (x) => Math.max(x, 0)),
  gelu: elementwise(gelu, (x) => x * normalBelow(x)),
  geluTanh: elementwise(
    geluTanh,
    (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  ),
  quickGelu: elementwise(quickGelu, (x) => x * logistic(1.702 * x)),
  softplus: elementwise(softplus, (x) => Math.log(1 + Math.exp(x))),
  clamp: elementwise(
    (x) => clamp(x, -0.75, 0.5),
    (x) => Math.min(Math.max(x, -0.75), 0.5),
  ),
  layerNorm: {
    shapes: [[symbolDim("batch"), 3, 5], [5], [5]],
    binding: { batch: 2 },
    build: ([x, scale, bias]) => {
      const { output, mean: center, invStd } = layerNorm(x!, scale!, bias!, { epsilon: 1e-3 });
      return [output, center, invStd];
    },
    formula: ([x, scale, bias]) => {
      const rows = rowsOf(x!, 5).map((row) => {
        const center = average(row);
        const invStd = 1 / Math.sqrt(average(row.map((v) => (v - center) ** 2)) + 1e-3);
        return {
          y: row.map((v, i) => (v - center) * invStd * scale![i]! + bias![i]!),
          center,
          invStd,
        };
      });
      return [rows.flatMap(({ y }) => y), rows.map((r) => r.center), rows.map((r) => r.invStd)];
    },
  },
  batchNorm: {
    shapes: [[symbolDim("batch"), 3, 2, 2], [3], [3]],
    binding: { batch: 2 },
    build: ([x, scale, bias]) => {
      const { output, mean: center, variance } = batchNorm(x!, scale!, bias!, { epsilon: 1e-3 });
      return [output, center, variance];
    },
    formula: ([x, scale, bias]) => {
      const channelOf = (at: number): number => Math.floor(at / 4) % 3;
      const centers = [0, 1, 2].map((c) => average(x!.filter((_, at) => channelOf(at) === c)));
      const variances = centers.map((center, c) =>
        average(x!.filter((_, at) => channelOf(at) === c).map((v) => (v - center) ** 2)),
      );
      const y = x!.map((v, at) => {
        const c = channelOf(at);
        return ((v - centers[c]!) / Math.sqrt(variances[c]! + 1e-3)) * scale![c]! + bias![c]!;
      });
      return [y, centers, variances];
    },
  },
  l2Normalize: {
    shapes: [[3, 4]],
    build: ([x]) => [l2Normalize(x!)],
    formula: ([x]) => [perRow((row) => row.map((v) => v / Math.hypot(...row)), 4)(x!)],
  },
  attention: {
    shapes: [
      [1, 2, symbolDim("tokens"), 3],
      [1, 2, symbolDim("tokens"), 3],
      [1, 2, symbolDim("tokens"), 3],
    ],
    binding: { tokens: 4 },
    build: ([query, key, value]) => {
      const { output, logSumExp: logTotal } = attention(query!, key!, value!, { causal: true });
      return [output, logTotal];
    },
    formula: ([query, key, value]) => {
      const heads = [query!, key!, value!].map((values) =>
        rowsOf(values, 12).map((h) => rowsOf(h, 3)),
      );
      const results = [0, 1].flatMap((head) =>
        heads[0]![head]!.map((q, at) => {
          const keys = heads[1]![head]!.slice(0, at + 1);
          const scores = keys.map((k) => total(k.map((v, i) => v * q[i]!)) / Math.sqrt(3));
          const logTotal = logSum(scores);
          const y = [0, 1, 2].map((i) =>
            total(scores.map((s, j) => Math.exp(s - logTotal) * heads[2]![head]![j]![i]!)),
          );
          return { y, logTotal };
        }),
      );
      return [results.flatMap(({ y }) => y), results.map(({ logTotal }) => logTotal)];
    },
  },
  avgPool2d: {
    shapes: [[symbolDim("batch"), 2, 5, 6]],
    binding: { batch: 2 },
    build: ([x]) => [avgPool2d(x!, [2, 3])],
    formula: ([x]) => {
      const planes = rowsOf(x!, 30).map((plane) => rowsOf(plane, 6));
      const pooled = planes.flatMap((plane) =>
        [0, 2].flatMap((top) =>
          [0, 3].map((left) =>
            average([0, 1].flatMap((i) => [0, 1, 2].map((j) => plane[top + i]![left + j]!))),
          ),
        ),
      );
      return [pooled];
    },
  },
};

function prepared(name: CompositeName) {
  const { shapes, binding = {}, build, formula } = CASES[name];
  const operands = shapes.map((shape, i) => input(`x${i}`, shape));
  const columns = shapes.map((shape, i) =>
    scattered(elementCount(evaluateShape(shape, binding)), i + 1, 2),
  );
  const feedsOf = (given: Columns): Record<string, readonly number[]> =>
    Object.fromEntries(given.map((column, i) => [`x${i}`, column]));
  return { operands, columns, feedsOf, binding, outputs: build(operands), formula };
}

function expectClose(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got).toHaveLength(expected.length);
  got.forEach((value, i) => {
    const wanted = expected[i]!;
    const off = Math.abs(value - wanted) / Math.max(1, Math.abs(wanted));
    expect(off, `entry ${i}: ${value} against ${wanted}`).toBeLessThan(tolerance);
  });
}

describe.each(COMPOSITE_NAMES)("%s", (name) => {
  it("computes its formula", () => {
    const { columns, feedsOf, binding, outputs, formula } = prepared(name);
    const got = numbersOf(outputs, feedsOf(columns), binding);
    const expected = formula(columns);
    expect(got).toHaveLength(expected.length);
    // Constants in the graph are float32.
    got.forEach((values, i) => expectClose(values, expected[i]!, 5e-7));
  });

  it("has the derivative that differences of its formula show, by every operand and from every output", () => {
    const { operands, columns, feedsOf, binding, outputs, formula } = prepared(name);
    const cotangents = outputs.map((output, i) => input(`dy${i}`, shapeOf(output)));
    const result = gradients({ outputs, cotangents, wrt: operands });
    const weights = outputs.map((output, i) =>
      scattered(elementCount(evaluateShape(shapeOf(output), binding)), 50 + i),
    );
    const feeds = {
      ...feedsOf(columns),
      ...Object.fromEntries(weights.map((column, i) => [`dy${i}`, column])),
    };
    const got = numbersOf(result.gradients, feeds, binding);
    operands.forEach((_, operand) => {
      const f = (at: readonly number[]): readonly number[] =>
        formula(columns.map((column, i) => (i === operand ? at : column))).flat();
      expectClose(got[operand]!, slopes(f, columns[operand]!, weights.flat()), 1e-6);
    });
  });

  it("has the same derivative from one output at a time", () => {
    const { operands, columns, feedsOf, binding, outputs, formula } = prepared(name);
    outputs.forEach((output, o) => {
      const dy = input("dy", shapeOf(output));
      const weights = scattered(elementCount(evaluateShape(shapeOf(output), binding)), 90 + o);
      const result = gradients({ outputs: [output], cotangents: [dy], wrt: operands });
      const got = numbersOf(result.gradients, { ...feedsOf(columns), dy: weights }, binding);
      operands.forEach((_, operand) => {
        const f = (at: readonly number[]): readonly number[] =>
          formula(columns.map((column, i) => (i === operand ? at : column)))[o]!;
        expectClose(got[operand]!, slopes(f, columns[operand]!, weights), 1e-6);
      });
    });
  });
});

describe.each(["float32", "bfloat16", "float16"] as const)("in %s", (dtype) => {
  it.each(COMPOSITE_NAMES)("%s expands and differentiates to the types it declares", (name) => {
    const { shapes, build } = CASES[name];
    const operands = shapes.map((shape, i) => input(`x${i}`, shape, dtype));
    for (const output of build(operands)) {
      const { node, index } = output;
      const parts = compositeDef(name)!.decompose(node.inputs, node.attrs);
      expect(parts.map(typeOf)).toEqual(node.outputs);
      const dy = input("dy", shapeOf(output), dtypeOf(output));
      const result = gradients({ outputs: [output], cotangents: [dy], wrt: operands });
      expect(result.gradients.map(typeOf)).toEqual(operands.map(typeOf));
      expect(result.outputs.map(typeOf)).toEqual([node.outputs[index]]);
    }
  });
});

describe("composites refuse", () => {
  const x = input("x", [2, 3]);
  const three = input("three", [3]);
  it.each<[string, () => unknown, "SHAPE" | "DTYPE"]>([
    ["integers", () => softmax(input("i", [2], "int32")), "DTYPE"],
    ["integers in mean", () => mean(input("i", [2], "int32")), "DTYPE"],
    ["numbers in countTrue", () => countTrue(x), "DTYPE"],
    ["an axis too many", () => softmax(x, 2), "SHAPE"],
    ["an axis too many in logSumExp", () => logSumExp(x, { axis: -3 }), "SHAPE"],
    ["clamp with crossed bounds", () => clamp(x, 1, 0), "SHAPE"],
    ["clamp with NaN", () => clamp(x, NaN, 0), "SHAPE"],
    ["a scale of another width", () => layerNorm(x, input("s", [2]), three), "SHAPE"],
    ["a bias of another width", () => layerNorm(x, three, input("b", [1])), "SHAPE"],
    ["a norm of a scalar", () => layerNorm(input("s", []), three, three), "SHAPE"],
    ["a scale of another dtype", () => layerNorm(x, input("s", [3], "float16"), three), "DTYPE"],
    ["an epsilon of 0", () => layerNorm(x, three, three, { epsilon: 0 }), "SHAPE"],
    ["a batch norm without channels", () => batchNorm(three, three, three), "SHAPE"],
    ["a scale that is not by channel", () => batchNorm(x, input("s", [2]), three), "SHAPE"],
    ["a bias that is not by channel", () => batchNorm(x, three, input("b", [2])), "SHAPE"],
    ["an epsilon whose square is 0 in float32", () => l2Normalize(x, { epsilon: 1e-30 }), "SHAPE"],
    ["a window larger than the picture", () => avgPool2d(input("p", [1, 1, 2, 2]), 3), "SHAPE"],
    ["a window of 0", () => avgPool2d(input("p", [1, 1, 2, 2]), 0), "SHAPE"],
    ["a picture of three axes", () => avgPool2d(input("p", [1, 2, 2]), 1), "SHAPE"],
    [
      "a missing operand",
      () => COMPOSITE_DEFS.layerNorm.infer([typeOf(x)], { epsilon: 1 }),
      "SHAPE",
    ],
  ])("%s", (_, build, code) => {
    expect(build).toThrow(expect.objectContaining({ code }));
  });
});

describe("COMPOSITE_DEFS", () => {
  it("declares a gradient where one must be declared", () => {
    const declared = COMPOSITE_NAMES.filter((name) => COMPOSITE_DEFS[name].gradient);
    expect(declared).toEqual(expect.arrayContaining([...COMPOSITES_WITH_GRADIENT]));
  });

  it("names each definition as the table does", () => {
    for (const name of COMPOSITE_NAMES) expect(COMPOSITE_DEFS[name].name).toBe(name);
  });
});
