import type { Image } from "@diptych/core";
import { expect, it } from "vitest";
import { decodeImage } from "./decode-image.js";
import { encodeThumbnail } from "./encode-thumbnail.js";

function halves(width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data[3 * i + (i % width < width / 2 ? 0 : 2)] = 255;
  return { width, height, channels: 3, data };
}

it("shrinks to the longest side, keeps proportions and colours", async () => {
  const small = await decodeImage(await encodeThumbnail(halves(200, 100), { size: 50 }));
  expect([small.width, small.height]).toEqual([50, 25]);
  const at = (x: number): readonly number[] => [...small.data.slice(3 * (12 * 50 + x)).slice(0, 3)];
  for (const [x, wanted] of [
    [10, [255, 0, 0]],
    [40, [0, 0, 255]],
  ] as const) {
    at(x).forEach((value, i) => expect(Math.abs(value - (wanted[i] ?? 0))).toBeLessThan(12));
  }
});

it("does not enlarge", async () => {
  const small = await decodeImage(await encodeThumbnail(halves(20, 10)));
  expect([small.width, small.height]).toEqual([20, 10]);
});
