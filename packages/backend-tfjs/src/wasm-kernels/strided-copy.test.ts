import { describe, expect, it } from "vitest";
import { createRandom, rowMajorStrides } from "@diptych/core";
import { stridedCopy } from "./strided-copy.js";

/** Each entry by its index. */
function plainly(
  heap: Int32Array,
  sizes: readonly number[],
  { from, to }: Parameters<typeof stridedCopy>[2],
): void {
  const count = sizes.reduce((product, size) => product * size, 1);
  const places = rowMajorStrides(sizes);
  for (let entry = 0; entry < count; entry++) {
    let [read, write] = [from.offset, to.offset];
    sizes.forEach((size, axis) => {
      const index = Math.floor(entry / places[axis]!) % size;
      read += index * from.strides[axis]!;
      write += index * to.strides[axis]!;
    });
    heap[write] = heap[read]!;
  }
}

const HALF = 1 << 17;

function expectSame(sizes: readonly number[], views: Parameters<typeof stridedCopy>[2]): void {
  const [fast, plain] = [0, 1].map(() =>
    Int32Array.from({ length: 2 * HALF }, (_, i) => (i < HALF ? i : -1)),
  ) as [Int32Array, Int32Array];
  stridedCopy(fast, sizes, views);
  plainly(plain, sizes, views);
  // Buffers: a matcher takes a second for as many entries.
  expect(Buffer.from(fast.buffer).equals(Buffer.from(plain.buffer))).toBe(true);
}

describe("stridedCopy", () => {
  it("exchanges axes in any order, whatever their sizes", () => {
    const random = createRandom(1);
    const below = (end: number): number => Math.floor(random.next() * end);
    for (let round = 0; round < 60; round++) {
      const rank = 1 + below(6);
      const shape = Array.from({ length: rank }, () => 1 + below(rank > 3 ? 7 : 40));
      const order = shape.map((_, axis) => axis).sort(() => below(3) - 1);
      const strides = rowMajorStrides(shape);
      const sizes = order.map((axis) => shape[axis]!);
      expectSame(sizes, {
        from: { offset: 3, strides: order.map((axis) => strides[axis]!) },
        to: { offset: HALF + 1, strides: rowMajorStrides(sizes) },
      });
    }
  });

  it("takes a window, and puts one", () => {
    const [outer, inner] = [rowMajorStrides([6, 50, 70]), rowMajorStrides([3, 40, 64])];
    const window = { offset: 50 * 70 + 2 * 70 + 5, strides: outer };
    const sizes = [3, 40, 64];
    expectSame(sizes, { from: window, to: { offset: HALF, strides: inner } });
    const put = { offset: HALF + window.offset, strides: outer };
    expectSame(sizes, { from: { offset: 0, strides: inner }, to: put });
  });

  it.each([1, 2, 3, 31, 100])("takes every %i-th entry", (step) => {
    const to = { offset: HALF, strides: rowMajorStrides([9, 40]) };
    expectSame([9, 40], { from: { offset: 1, strides: [4000, step] }, to });
  });

  it("repeats where a stride is 0", () => {
    const repeated = [
      [0, 1],
      [1, 0],
      [0, 0],
    ];
    for (const strides of repeated)
      for (const sizes of [
        [5, 3],
        [5, 64],
        [64, 5],
      ])
        expectSame(sizes, {
          from: { offset: 7, strides },
          to: { offset: HALF, strides: rowMajorStrides(sizes) },
        });
  });

  it("copies one entry, or none", () => {
    expectSame([], { from: { offset: 5, strides: [] }, to: { offset: HALF, strides: [] } });
    expectSame([1, 1], {
      from: { offset: 5, strides: [9, 9] },
      to: { offset: HALF, strides: [1, 1] },
    });
    expectSame([3, 0], {
      from: { offset: 5, strides: [0, 1] },
      to: { offset: HALF, strides: [0, 1] },
    });
  });
});
