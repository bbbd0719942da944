import { describe, expect, test } from "vitest";
import { createWordCache } from "./word-cache.js";

describe("word cache", () => {
  test("gives back what was put in, long words and other scripts too", () => {
    const cache = createWordCache(8);
    const long = "Donaudampfschifffahrt 你好 😀".slice(0, 28);
    cache.set("a", [1]);
    cache.set(long, [2, 3]);
    expect([cache.get("a"), cache.get(long), cache.get("b")]).toEqual([[1], [2, 3], undefined]);
  });

  test("never holds more than its capacity, and keeps what is asked for", () => {
    const cache = createWordCache(8);
    cache.set("the", [0]);
    for (let index = 1; index <= 100; index += 1) {
      cache.set(`w${String(index)}`, [index]);
      expect(cache.get("the")).toEqual([0]);
    }
    const held = Array.from({ length: 100 }, (_, index) => cache.get(`w${String(index + 1)}`));
    expect(held.filter((ids) => ids !== undefined).length).toBeLessThanOrEqual(8);
    expect(cache.get("w100")).toEqual([100]);
  });
});
