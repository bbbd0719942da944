import { createRandom, float16Bits, float16Value } from "@diptych/core";
import { expect, it } from "vitest";
import { halvesOf } from "./half-floats.js";

it("gives every half for itself", () => {
  const finite = Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
    (bits) => (bits & 0x7fff) <= 0x7c00,
  );
  expect([...halvesOf(Float32Array.from(finite, float16Value))]).toEqual(finite);
  expect([...halvesOf(Float32Array.of(NaN))]).toEqual([0x7e00]);
});

it("rounds as core's conversion does: ties, their neighbours, and any size", () => {
  const random = createRandom(4);
  const values: number[] = [
    0,
    -0,
    65519.99,
    65520,
    1e30,
    -1e30,
    2 ** -24,
    2 ** -25,
    2 ** -25 * 1.0001,
    2 ** -26,
    2 ** -140,
  ];
  const neighbour = new Float32Array(1);
  const neighbourBits = new Uint32Array(neighbour.buffer);
  for (let bits = 0; bits < 0x7bff; bits += 7) {
    neighbour[0] = (float16Value(bits) + float16Value(bits + 1)) / 2;
    values.push(neighbour[0]);
    neighbourBits[0]! += 1;
    values.push(-neighbour[0]);
    neighbourBits[0]! -= 2;
    values.push(neighbour[0]);
  }
  for (let i = 0; i < 20_000; i++) values.push(random.normal() * 2 ** (random.integer(44) - 28));
  const singles = Float32Array.from(values);
  expect([...halvesOf(singles)]).toEqual(Array.from(singles, float16Bits));
});
