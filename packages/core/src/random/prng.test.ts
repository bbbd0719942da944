import { describe, expect, it } from "vitest";
import { createRandom } from "./prng.js";
import { threefry2x32, type Key } from "./threefry.js";

const hex = (words: ArrayLike<number>): string[] =>
  Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0"));

describe("Threefry-2x32-20", () => {
  // Random123 1.14, tests/kat_vectors.
  it.each<[Key, Key, string[]]>([
    [
      [0, 0],
      [0, 0],
      ["6b200159", "99ba4efe"],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      ["1cb996fc", "bb002be7"],
    ],
    [
      [0x243f6a88, 0x85a308d3],
      [0x13198a2e, 0x03707344],
      ["c4923a9c", "483df7a0"],
    ],
  ])("encrypts %j under %j as published", ([low, high], key, expected) => {
    const out = new Uint32Array(2);
    threefry2x32(key, low, high, out);
    expect(hex(out)).toEqual(expected);
  });

  it("is the stream of the seed that is its key", () => {
    const random = createRandom(0);
    expect(hex([random.nextUint32(), random.nextUint32()])).toEqual(["6b200159", "99ba4efe"]);
  });
});

describe("streams", () => {
  it("give these first values for ever", () => {
    const random = createRandom(42);
    const uniform = new Float32Array(3);
    const normal = new Float32Array(3);
    random.split("uniform").fillUniform(uniform);
    random.split("normal").fillNormal(normal);
    expect({
      words: hex([random.nextUint32(), random.nextUint32(), random.nextUint32()]),
      next: random.next(),
      integer: random.integer(1000),
      normal: random.normal(),
      permutation: [...random.permutation(8)],
      split: hex([random.split("a").split(7).nextUint32(), random.split("").nextUint32()]),
      text: hex([createRandom("diptych").nextUint32()]),
      uniformFill: [...uniform],
      normalFill: [...normal],
    }).toMatchInlineSnapshot(`
      {
        "integer": 592,
        "next": 0.9927533978247691,
        "normal": -0.54271577640757,
        "normalFill": [
          -0.14144819974899292,
          0.42680495977401733,
          0.12955242395401,
        ],
        "permutation": [
          6,
          3,
          7,
          1,
          0,
          4,
          5,
          2,
        ],
        "split": [
          "d35c1f88",
          "f7849218",
        ],
        "text": [
          "e38fdafa",
        ],
        "uniformFill": [
          0.009083926677703857,
          0.46751755475997925,
          0.8778568506240845,
        ],
        "words": [
          "de79f4b9",
          "4f6cc618",
          "268fd86c",
        ],
      }
    `);
  });

  it("depend on the seed alone", () => {
    const first = (seed: number | bigint | string): number => createRandom(seed).next();
    expect(first(7)).toBe(first(7n));
    expect(first(-1)).toBe(first(2n ** 64n - 1n));
    expect(new Set([first(7), first("7"), first(8), first(2n ** 32n * 7n), first("")]).size).toBe(
      5,
    );
    expect(() => createRandom(0.5)).toThrow(/expected an integer below 2\^53/);
  });

  it("split by name, wherever the parent stands", () => {
    const random = createRandom(1);
    const before = random.split("x").nextUint32();
    random.nextUint32();
    expect(random.split("x").nextUint32()).toBe(before);
    expect(random.split(3).nextUint32()).toBe(random.split("3").nextUint32());
  });

  it("differ between names, also where one begins or pads the other", () => {
    const random = createRandom(1);
    const names = [
      "",
      "a",
      "aa",
      "aaaa",
      "aaaaa",
      "a\0",
      "\0",
      "b",
      "ab",
      "ba",
      "layer.1",
      "layer.2",
    ];
    const words = names.map((name) => random.split(name).nextUint32());
    words.push(random.nextUint32(), random.split("a").split("b").nextUint32());
    expect(new Set(words).size).toBe(words.length);
  });

  it("of neighbouring names are uncorrelated", () => {
    const size = 20_000;
    const drawn = [0, 1, 2].map((name) => {
      const values = new Float32Array(size);
      createRandom(5).split(name).fillNormal(values);
      return values;
    });
    const correlation = (a: Float32Array, b: Float32Array): number =>
      a.reduce((total, value, i) => total + value * b[i]!, 0) / size;
    // Four standard deviations of a mean of products of standard normals.
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const)
      expect(Math.abs(correlation(drawn[i]!, drawn[j]!))).toBeLessThan(4 / Math.sqrt(size));
  });

  it("fill the same values as words one by one, also from an odd position", () => {
    const [filled, single] = [createRandom(3), createRandom(3)];
    filled.nextUint32();
    single.nextUint32();
    const values = new Float32Array(5);
    filled.fillUniform(values);
    expect([...values]).toEqual(
      Array.from({ length: 5 }, () => (single.nextUint32() >>> 8) * 2 ** -24),
    );
    expect(filled.nextUint32()).toBe(single.nextUint32());
  });
});

describe("distributions", () => {
  const size = 200_000;
  const moments = (values: Float32Array): { mean: number; variance: number; kurtosis: number } => {
    const mean = values.reduce((a, b) => a + b, 0) / size;
    const centred = (power: number): number =>
      values.reduce((a, b) => a + (b - mean) ** power, 0) / size;
    return { mean, variance: centred(2), kurtosis: centred(4) / centred(2) ** 2 };
  };

  it("uniform values fill [0, 1) evenly", () => {
    const values = new Float32Array(size);
    createRandom(11).fillUniform(values);
    const { mean, variance } = moments(values);
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / size));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / size));
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const bins = new Array<number>(64).fill(0);
    for (const value of values) bins[Math.floor(value * 64)]! += 1;
    const chiSquare = bins.reduce((total, n) => total + (n - size / 64) ** 2 / (size / 64), 0);
    // 63 degrees of freedom: mean 63, standard deviation 11.2.
    expect(chiSquare).toBeLessThan(63 + 4 * 11.2);
  });

  it("normal values have the moments of a normal distribution", () => {
    const values = new Float32Array(size);
    createRandom(12).fillNormal(values);
    const { mean, variance, kurtosis } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(size));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / size));
    expect(Math.abs(kurtosis - 3)).toBeLessThan(4 * Math.sqrt(24 / size));
    const random = createRandom(13);
    const single = Float32Array.from({ length: size }, () => random.normal());
    expect(Math.abs(moments(single).variance - 1)).toBeLessThan(4 * Math.sqrt(2 / size));
  });

  it("integers are unbiased where a plain remainder would not be", () => {
    const random = createRandom(14);
    const below = 3 * 2 ** 30;
    // 2³² mod below: a remainder would hit the first quarter of the range twice as often.
    const low = Array.from({ length: 30_000 }, () => random.integer(below)).filter(
      (n) => n < 2 ** 30,
    );
    expect(Math.abs(low.length / 30_000 - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / 30_000));
  });

  it("integers stay below, also beyond 32 bits", () => {
    const random = createRandom(15);
    const large = Array.from({ length: 100 }, () => random.integer(2 ** 40));
    expect(large.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 40)).toBe(true);
    expect(large.some((n) => n >= 2 ** 39)).toBe(true);
    expect(random.integer(1)).toBe(0);
    for (const below of [0, -1, 1.5, NaN])
      expect(() => random.integer(below)).toThrow(/at least 1/);
  });

  it("permutations hold each index once and every order equally often", () => {
    const random = createRandom(16);
    expect([...random.permutation(100)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect([...random.permutation(0)]).toEqual([]);
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const key = random.permutation(3).join("");
      orders.set(key, (orders.get(key) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    for (const n of orders.values())
      expect(Math.abs(n - 1000)).toBeLessThan(4 * Math.sqrt(6000 * (5 / 36)));
    expect(() => random.permutation(-1)).toThrow(/expected an integer/);
  });
});
