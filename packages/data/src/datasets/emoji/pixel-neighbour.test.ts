import type { Image } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { emojiSchema } from "./config.js";
import { tinyEmojiSet } from "./emoji.test-support.js";
import { emojiPixelBaseline } from "./pixel-baseline.js";
import { pixelNearestNeighbour } from "./pixel-neighbour.js";

/** A bar of `shade` in row `row` of a white square. */
function bar(row: number, shade = 0): Image {
  const data = new Uint8Array(32 * 32 * 4);
  for (let x = 0; x < 32; x++) data.set([shade, shade, shade, 255], (row * 32 + x) * 4);
  return { width: 32, height: 32, channels: 4, data };
}

describe("pixelNearestNeighbour", () => {
  const gallery = Array.from({ length: 8 }, (_, i) => ({ image: bar(i * 4), label: i }));

  it("finds the same shape in another shade, and ignores the colour under transparency", async () => {
    const queries = [0, 3, 7].map((i) => ({ image: bar(i * 4, 90), label: i }));
    expect(await pixelNearestNeighbour(queries, gallery)).toEqual({
      top1: 1,
      top5: 1,
      queries: 3,
      gallery: 8,
    });
  });

  it("counts wrong names, names without a picture, and ties as misses", async () => {
    const wrong = { image: bar(0), label: 3 };
    const absent = { image: bar(0), label: 9 };
    expect(await pixelNearestNeighbour([wrong, absent], gallery)).toMatchObject({ top1: 0 });
    const twins = [
      { image: bar(0), label: 0 },
      { image: bar(0), label: 1 },
    ];
    expect(await pixelNearestNeighbour([{ image: bar(0), label: 0 }], twins)).toMatchObject({
      top1: 0,
      top5: 1,
    });
  });

  it("refuses what it cannot compare", async () => {
    await expect(pixelNearestNeighbour([], gallery)).rejects.toThrow(/at least one query/);
    const odd = { ...bar(0), width: 31, data: new Uint8Array(31 * 32 * 4) };
    await expect(pixelNearestNeighbour([{ image: odd, label: 0 }], gallery)).rejects.toThrow(
      /31×32/,
    );
  });

  it("searches trained concepts with the test family's pictures on the emoji set", async () => {
    const result = await emojiPixelBaseline(tinyEmojiSet(40, 16), emojiSchema.parse({}));
    expect(result).toMatchObject({ queries: 34, gallery: 102 });
  });
});
