import { describe, expect, it } from "vitest";
import { buildConv2d } from "./conv.js";
import { difference, inputNumbers, runLayer } from "./run-layer.test-support.js";

it("is a cross-correlation with padding, stride, groups and bias", () => {
  const inputs = { x: [1, 4, 5, 5] };
  const { outputs, values, specs } = runLayer(
    (c, { x }) =>
      buildConv2d(c, x!, {
        outChannels: 2,
        kernel: 3,
        stride: 2,
        padding: 1,
        groups: 2,
        bias: true,
      }),
    { inputs },
  );
  const x = inputNumbers(inputs)["x"]!.data;
  const [w, b] = [values["weight"]!, values["bias"]!];
  const pixel = (c: number, row: number, column: number): number =>
    row < 0 || column < 0 || row > 4 || column > 4 ? 0 : x[(c * 5 + row) * 5 + column]!;
  const expected: number[] = [];
  for (let o = 0; o < 2; o++)
    for (let row = 0; row < 3; row++)
      for (let column = 0; column < 3; column++) {
        let total = b[o]!;
        for (let i = 0; i < 2; i++)
          for (let dy = 0; dy < 3; dy++)
            for (let dx = 0; dx < 3; dx++)
              total +=
                w[((o * 2 + i) * 3 + dy) * 3 + dx]! *
                pixel(o * 2 + i, row * 2 + dy - 1, column * 2 + dx - 1);
        expected.push(total);
      }
  expect(outputs[0]!.shape).toEqual([1, 2, 3, 3]);
  expect(difference(outputs[0]!.data, expected)).toBeLessThan(1e-13);
  expect(specs[0]!.shape).toEqual([2, 2, 3, 3]);
  expect(specs[0]!.initializer).toMatchObject({ high: 1 / Math.sqrt(18) });
});

describe("wrong input", () => {
  it("names the pattern where x is no picture", () => {
    expect(() =>
      runLayer((c, { x }) => buildConv2d(c, x!, { outChannels: 1, kernel: 1 }), {
        inputs: { x: [2, 3] },
      }),
    ).toThrow(/nn\/buildConv2d: x: expected \[batch, channels, height, width\], got \[2, 3\]/);
  });
});
