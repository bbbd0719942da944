import { describe, expect, it } from "vitest";
import { gradients } from "../../autodiff/gradients.js";
import { numbersOf, scattered, slopes } from "../../autodiff/numbers.test-support.js";
import { isDiptychError } from "../../errors.js";
import { shapeOf, type Value } from "../../graph/node.js";
import { nodesInOrder } from "../../graph/traverse.js";
import { symbolDim } from "../../tensor/dim.js";
import type { Shape } from "../../tensor/shape.js";
import { attentionDef, attention, type AttentionOptions } from "./attention.js";
import { input } from "../primitives/leaves.js";

const QUERIES = 3;
const KEYS = 4;
const DEPTH = 2;

interface Masked {
  readonly shape: Shape;
  /** true = attend, of `shape`. */
  readonly mask: readonly boolean[];
  readonly causal?: boolean;
  /** Whether query i sees key j in batch b. */
  readonly sees: (b: number, i: number, j: number) => boolean;
}

const MASKS: Readonly<Record<string, Masked>> = {
  "one mask for all": {
    shape: [QUERIES, KEYS],
    mask: [true, false, true, false, false, true, true, true, true, true, true, true],
    sees: (_, i, j) =>
      [
        [0, 2],
        [1, 2, 3],
        [0, 1, 2, 3],
      ][i]!.includes(j),
  },
  "keys by batch": {
    shape: [2, 1, 1, KEYS],
    mask: [true, true, false, true, false, true, false, false],
    sees: (b, _, j) => (b === 0 ? j !== 2 : j === 1),
  },
  "keys by batch, causal": {
    shape: [2, 1, 1, KEYS],
    mask: [true, true, false, true, false, true, true, true],
    causal: true,
    // In the second batch the first query sees no key.
    sees: (b, i, j) => j <= i && (b === 0 ? j !== 2 : j > 0),
  },
  "a query that sees nothing": {
    shape: [1, 1, QUERIES, KEYS],
    mask: [true, true, true, true, false, false, false, false, false, false, false, true],
    sees: (_, i, j) => i === 0 || (i === 2 && j === KEYS - 1),
  },
  "nothing at all, as a scalar": { shape: [], mask: [false], sees: () => false },
};

/** softmax(q·k/√DEPTH)·v where a query sees a key; zeros where it sees none. Two batches of one head. */
function expectedOutput([q, k, v]: readonly (readonly number[])[], sees: Masked["sees"]): number[] {
  const at = (x: readonly number[], rows: number, b: number, i: number): readonly number[] =>
    x.slice((b * rows + i) * DEPTH, (b * rows + i + 1) * DEPTH);
  return [0, 1].flatMap((b) =>
    Array.from({ length: QUERIES }, (_, i) => i).flatMap((i) => {
      const keys = Array.from({ length: KEYS }, (_, j) => j).filter((j) => sees(b, i, j));
      const powers = keys.map((j) => {
        const key = at(k!, KEYS, b, j);
        return Math.exp(
          at(q!, QUERIES, b, i).reduce((dot, x, d) => dot + x * key[d]!, 0) / Math.sqrt(DEPTH),
        );
      });
      const total = powers.reduce((a, c) => a + c, 0);
      return Array.from({ length: DEPTH }, (_, d) =>
        keys.reduce((y, j, n) => y + (powers[n]! / total) * at(v!, KEYS, b, j)[d]!, 0),
      );
    }),
  );
}

function operands(): [Value, Value, Value] {
  return [
    input("q", [2, 1, QUERIES, DEPTH]),
    input("k", [2, 1, KEYS, DEPTH]),
    input("v", [2, 1, KEYS, DEPTH]),
  ];
}

describe.each(Object.entries(MASKS))(
  "attention, %s",
  (_, { shape, mask, causal = false, sees }) => {
    const columns = [
      scattered(2 * QUERIES * DEPTH, 1, 2),
      scattered(2 * KEYS * DEPTH, 2, 2),
      scattered(2 * KEYS * DEPTH, 3, 2),
    ] as const;
    const feeds = { q: columns[0], k: columns[1], v: columns[2], m: mask.map(Number) };

    it("attends to what the mask shows, and gives zeros where it shows nothing", () => {
      const [q, k, v] = operands();
      const { output } = attention(q, k, v, { mask: input("m", shape, "bool"), causal });
      const [got] = numbersOf([output], feeds);
      expectedOutput(columns, sees).forEach((wanted, i) => {
        expect(got![i]).toBeCloseTo(wanted, 6);
        if (wanted === 0) expect(got![i] === 0).toBe(true);
      });
    });

    it("has the gradient of what is attended to", () => {
      const leaves = operands();
      const { output, logSumExp } = attention(...leaves, {
        mask: input("m", shape, "bool"),
        causal,
      });
      const weights = scattered(2 * QUERIES * DEPTH, 9);
      const dy = input("dy", shapeOf(output));
      const result = gradients({ outputs: [output], cotangents: [dy], wrt: leaves });
      const got = numbersOf(result.gradients, { ...feeds, dy: weights });
      columns.forEach((column, n) => {
        const f = (x: readonly number[]): number[] =>
          expectedOutput(
            columns.map((c, i) => (i === n ? x : c)),
            sees,
          );
        slopes(f, column, weights).forEach((slope, i) => expect(got[n]![i]).toBeCloseTo(slope, 6));
      });
      const fromTotal = gradients({
        outputs: [logSumExp],
        cotangents: [input("dl", shapeOf(logSumExp))],
        wrt: leaves,
      });
      const dl = scattered(2 * QUERIES, 4);
      expect(
        numbersOf(fromTotal.gradients, { ...feeds, dl })
          .flat()
          .every(Number.isFinite),
      ).toBe(true);
    });
  },
);

describe("attention", () => {
  it("keeps nothing of size [queries, keys]: the gradient computes the probabilities anew, after the cotangent", () => {
    const tokens = symbolDim("tokens");
    const shape = [symbolDim("batch"), 2, tokens, 8];
    const [q, k, v] = ["q", "k", "v"].map((name) => input(name, shape)) as [Value, Value, Value];
    const dy = input("dy", shape);
    const { output } = attention(q, k, v, { causal: true });
    const result = gradients({ outputs: [output], cotangents: [dy], wrt: [q, k, v] });
    expect(result.outputs[0]!.node.op).toBe("attention");
    const forward = new Set(nodesInOrder(result.outputs));
    const squares = nodesInOrder(result.gradients).filter(
      (node) =>
        !forward.has(node) &&
        node.outputs[0]!.shape.filter((dim) => dim === tokens).length === 2 &&
        nodesInOrder([{ node, index: 0 }]).includes(q.node),
    );
    expect(squares.map(({ op }) => op)).toContain("softmax");
    for (const node of squares) {
      expect(nodesInOrder([{ node, index: 0 }]).includes(dy.node), node.op).toBe(true);
    }
  });

  it("takes values of another width than the keys", () => {
    const { output } = attention(
      input("q", [1, 1, 2, 3]),
      input("k", [1, 1, 5, 3]),
      input("v", [1, 1, 5, 7]),
    );
    expect(shapeOf(output)).toEqual([1, 1, 2, 7]);
  });

  it("expands in 16-bit floats with the softmax in float32", () => {
    const half = ["q", "k", "v"].map((name) => input(name, [1, 1, 2, 2], "float16"));
    const parts = attentionDef.decompose(half, { scale: 1, causal: true });
    const softmaxes = nodesInOrder(parts).filter(({ op }) => op === "softmax");
    expect(softmaxes.map(({ outputs }) => outputs[0]!.dtype)).toEqual(["float32"]);
    expect(parts.map(({ node, index }) => node.outputs[index]!.dtype)).toEqual([
      "float16",
      "float32",
    ]);
  });

  it.each<[string, readonly Shape[], AttentionOptions, string]>([
    [
      "keys of another depth",
      [
        [1, 1, 2, 3],
        [1, 1, 2, 4],
        [1, 1, 2, 3],
      ],
      {},
      "SHAPE",
    ],
    [
      "values of another count",
      [
        [1, 1, 2, 3],
        [1, 1, 2, 3],
        [1, 1, 4, 3],
      ],
      {},
      "SHAPE",
    ],
    [
      "three axes",
      [
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
      ],
      {},
      "SHAPE",
    ],
    [
      "a mask that does not stretch",
      [
        [1, 1, 2, 3],
        [1, 1, 2, 3],
        [1, 1, 2, 3],
      ],
      { mask: input("m", [3, 2], "bool") },
      "SHAPE",
    ],
    [
      "a mask of numbers",
      [
        [1, 1, 2, 3],
        [1, 1, 2, 3],
        [1, 1, 2, 3],
      ],
      { mask: input("m", [2, 2]) },
      "DTYPE",
    ],
    [
      "no scale for a symbolic depth",
      Array.from({ length: 3 }, () => [1, 1, 2, symbolDim("depth")]),
      {},
      "SHAPE",
    ],
  ])("refuses %s", (_, shapes, options, code) => {
    const [q, k, v] = shapes.map((shape, i) => input(`x${i}`, shape));
    let caught: unknown;
    try {
      attention(q!, k!, v!, options);
    } catch (error) {
      caught = error;
    }
    expect(isDiptychError(caught) && caught.code).toBe(code);
  });
});
