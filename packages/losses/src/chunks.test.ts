import {
  createGraph,
  createParamCollector,
  createRandomInputs,
  exp,
  formatShape,
  gradients,
  input,
  mul,
  shapeOf,
  sum,
  symbolDim,
  type DimBinding,
  type Graph,
} from "@diptych/core";
import {
  bind,
  estimatePeakBytes,
  executionOrder,
  prepareForBackend,
  rewriteGraph,
  rematerialise,
  runPasses,
} from "@diptych/core/backend";
import {
  createFloat64Tensor,
  createReferenceBackend,
  evaluateValues,
} from "@diptych/core/reference";
import { describe, expect, it } from "vitest";
import { buildChunkedSum, rowChunks } from "./chunks.js";
import { createSigmoidLoss } from "./sigmoid.js";

const BATCH = 256;
const WIDTH = 16;
const sizes: DimBinding = { imageBatch: BATCH, textBatch: BATCH };
/** Bytes of all logits. */
const MATRIX = BATCH * BATCH * 4;

/** Value, metrics and gradients by features, scale and bias, sizes bound. */
function gradientGraph(chunkSize: number | undefined, recompute = false): Graph {
  const loss = createSigmoidLoss({ chunkSize });
  const image = input("image", [symbolDim("imageBatch"), WIDTH]);
  const text = input("text", [symbolDim("textBatch"), WIDTH]);
  const [logitScale, logitBias] = [input("scale", []), input("bias", [])];
  const auxiliary = Object.fromEntries(
    loss.auxiliary.map(({ name, shape, dtype }) => [name, input(name, shape, dtype)]),
  );
  const built = loss.build(
    { mode: "train", scope: createParamCollector().root, random: createRandomInputs(), sizes },
    { normalized: { image, text }, encoded: {}, inputs: {}, logitScale, logitBias, auxiliary },
  );
  const result = gradients({
    outputs: [built.loss],
    wrt: [image, text, logitScale, logitBias],
    carry: Object.values(built.metrics),
  });
  const values = [...result.outputs, ...result.carried, ...result.gradients];
  const graph = createGraph(
    "gradient",
    Object.fromEntries(values.map((value, i) => [`output${i}`, value])),
  );
  const forward = [...result.outputs, ...result.carried];
  return runPasses(graph, [...(recompute ? [rematerialise({ forward })] : []), bind(sizes)]);
}

const peakOf = (graph: Graph): number => estimatePeakBytes(graph, executionOrder(graph));

describe("the memory of a sigmoid loss with its gradient", () => {
  const whole = peakOf(gradientGraph(undefined));

  it("is some matrices of pairs when all rows are taken at once", () => {
    expect(whole).toBeGreaterThan(3 * MATRIX);
  });

  it.each([
    ["as built", (graph: Graph) => graph],
    [
      "as a backend gets it",
      (graph: Graph) =>
        prepareForBackend(graph, createReferenceBackend().capabilities, "reference"),
    ],
  ])("falls with the size of the chunks, never holding all pairs: %s", (_, prepare) => {
    const peaks = [64, 16].map((size) => peakOf(prepare(gradientGraph(size))));
    expect(peaks[0]).toBeLessThan(0.4 * whole);
    expect(peaks[1]).toBeLessThan(0.15 * whole);
    // A chunk's share of what the whole takes, and the features' gradients.
    expect(peaks[1]! - (16 / BATCH) * whole).toBeLessThan(10 * BATCH * WIDTH * 4);
    expect(peaks[1]).toBeLessThan(MATRIX);
  });

  it("falls where cheap values are computed again as well", () => {
    const again = peakOf(gradientGraph(undefined, true));
    expect(peakOf(gradientGraph(16, true))).toBeLessThan(0.15 * again);
  });

  it("would not fall if chunks did not wait for each other", () => {
    const early = rewriteGraph(gradientGraph(16), (node, [x]) =>
      node.op === "after" ? [x!] : undefined,
    );
    expect(peakOf(early)).toBeGreaterThan(MATRIX);
  });
});

describe("chunks", () => {
  const rows = symbolDim("rows");
  const options = { where: "test", chunkSize: 4 };

  it("are of one size, the last of what is left, in the symbol of the rows", () => {
    const dims = (count: number): string =>
      formatShape(rowChunks(rows, { ...options, sizes: { rows: count } }));
    expect(dims(10)).toBe("[4, 4, rows-8]");
    expect(dims(8)).toBe("[4, rows-4]");
    expect(dims(4)).toBe("[rows]");
    expect(dims(1)).toBe("[rows]");
    expect(formatShape(rowChunks(10, options))).toBe("[4, 4, 2]");
  });

  it("need the number of rows", () => {
    expect(() => rowChunks(rows, { ...options, sizes: { columns: 3 } })).toThrow(
      /test: chunkSize: expected the number of rows to be known when the loss is built, got rows. Give buildLoss/,
    );
  });

  it("give rows, and values that all see, the derivatives of their sum under any cotangent", () => {
    const x = input("x", [5]);
    const w = input("w", []);
    const { value, sums } = buildChunkedSum({
      chunks: [2, 2, 1],
      rows: [x],
      whole: [w],
      build: ([part], [weight]) => ({
        value: sum(exp(mul(part!, weight!))),
        sums: [sum(part!)],
      }),
    });
    expect(shapeOf(value)).toEqual([]);
    const result = gradients({ outputs: [mul(value, 3)], wrt: [x, w], carry: sums });
    const numbers = [0.1, -0.4, 0.7, 0.2, -1];
    const [total, dx, dw, added] = evaluateValues(
      [...result.outputs, ...result.gradients, ...result.carried],
      {
        x: createFloat64Tensor("float32", [5], numbers),
        w: createFloat64Tensor("float32", [], [2]),
      },
    ).map(({ data }) => [...data]);
    const powers = numbers.map((n) => Math.exp(2 * n));
    const plus = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    expect(total![0]).toBeCloseTo(3 * plus(powers), 12);
    expect(added![0]).toBeCloseTo(plus(numbers), 12);
    dx!.forEach((got, i) => expect(got).toBeCloseTo(3 * 2 * powers[i]!, 12));
    expect(dw![0]).toBeCloseTo(3 * plus(powers.map((p, i) => p * numbers[i]!)), 12);
  });
});
