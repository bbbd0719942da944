import type { Image } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { prepareImages, toTensor, writeImage } from "./image-tensor.js";
import { mixImages } from "./mix-images.js";
import { premultiply, unpremultiply } from "./premultiplied.js";
import { resamplePremultiplied } from "./resample.js";
import { resizeImage } from "./resize-image.js";

function picture(
  width: number,
  height: number,
  channels: 1 | 3 | 4,
  value: (i: number) => number,
): Image {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => value(i));
  return { width, height, channels, data };
}

const plain = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

describe("toTensor", () => {
  it("writes planes normalised by mean and standard deviation", () => {
    const image = picture(2, 1, 3, (i) => [0, 51, 102, 153, 204, 255][i] ?? 0);
    const tensor = toTensor(image, { mean: [0.5, 0, 0.1], std: [0.5, 1, 0.2] });
    expect(tensor.shape).toEqual([3, 1, 2]);
    const expected = [-1, 0.2, 0.2, 0.8, 1.5, 4.5];
    tensor.data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? NaN, 6);
    });
  });

  it("draws alpha over the background and repeats grey", () => {
    const half = {
      width: 1,
      height: 1,
      channels: 4,
      data: Uint8Array.of(100, 0, 255, 51),
    } as const;
    const tensor = toTensor(half, { ...plain, background: [200, 255, 0] });
    // share 0.2: 0.2·100 + 0.8·200, 0.8·255, 0.2·255.
    [180 / 255, 0.8, 0.2].forEach((value, c) => {
      expect(tensor.data[c]).toBeCloseTo(value, 6);
    });
    const clear = { ...half, data: Uint8Array.of(9, 9, 9, 0) } as const;
    expect([...toTensor(clear, plain).data]).toEqual([1, 1, 1]);
    const grey = picture(1, 1, 1, () => 51);
    toTensor(grey, plain).data.forEach((value) => {
      expect(value).toBeCloseTo(0.2, 6);
    });
  });

  it("refuses to write beyond the batch", () => {
    const image = picture(2, 2, 3, () => 1);
    expect(() => {
      writeImage(image, new Float32Array(23), 12);
    }).toThrow(/expected room for 3×2×2 values at 12, got 23/);
  });
});

describe("resizing", () => {
  it("crops the middle or squashes", async () => {
    const bands = picture(60, 20, 3, (i) =>
      Math.floor(i / 3) % 60 < 20 ? 0 : Math.floor(i / 3) % 60 < 40 ? 128 : 255,
    );
    const size = { imageHeight: 10, imageWidth: 10 };
    const cropped = await resizeImage(bands, size, "crop");
    expect(cropped).toMatchObject({ width: 10, height: 10, channels: 3 });
    expect(cropped.data[(5 * 10 + 5) * 3]).toBe(128);
    const squashed = await resizeImage(bands, size, "squash");
    expect([squashed.data[0], squashed.data[9 * 3]]).toEqual([0, 255]);
    const tensor = await prepareImages([bands, cropped], { ...size, ...plain });
    expect(tensor.shape).toEqual([2, 3, 10, 10]);
    expect([...tensor.data.subarray(0, 300)]).toEqual([...tensor.data.subarray(300)]);
  });

  it("does not draw the colour under transparent pixels into the edge", async () => {
    // Left half opaque red, right half transparent green.
    const image = picture(16, 16, 4, (i) => {
      const left = Math.floor(i / 4) % 16 < 8;
      return [left ? 255 : 0, left ? 0 : 255, 0, left ? 255 : 0][i % 4] ?? 0;
    });
    const ours = unpremultiply(resamplePremultiplied(premultiply(image), 5, 5));
    const theirs = await resizeImage(image, { imageHeight: 5, imageWidth: 5 });
    for (const small of [ours, theirs]) {
      const green = small.data.filter((_, i) => i % 4 === 1);
      expect(Math.max(...green)).toBeLessThanOrEqual(1);
    }
    expect(Math.abs((ours.data[2 * 4 + 3] ?? 0) - 128)).toBeLessThan(4);
  });

  it("keeps one colour as it is at any size", () => {
    const image = premultiply(picture(17, 11, 4, (i) => [10, 200, 77, 180][i % 4] ?? 0));
    for (const [width, height] of [
      [5, 5],
      [40, 3],
      [17, 11],
      [1, 1],
    ] as const) {
      const { data } = unpremultiply(resamplePremultiplied(image, width, height));
      for (let i = 0; i < data.length; i++) {
        expect(Math.abs((data[i] ?? 0) - ([10, 200, 77, 180][i % 4] ?? 0))).toBeLessThanOrEqual(1);
      }
    }
  });

  it("keeps every 8-bit premultiplied value through straight alpha", () => {
    const data = new Float32Array(256 * 256 * 4);
    for (let alpha = 0; alpha < 256; alpha++) {
      for (let value = 0; value <= alpha; value++) {
        const at = (alpha * 256 + value) * 4;
        data.set([value, value, value, alpha], at);
      }
    }
    const back = premultiply(unpremultiply({ width: 256, height: 256, data })).data;
    let wrong = 0;
    for (let i = 0; i < data.length; i++) if (Math.round(back[i] ?? 0) !== data[i]) wrong += 1;
    expect(wrong).toBe(0);
  });
});

describe("mixImages", () => {
  const red = picture(1, 1, 4, (i) => [255, 0, 0, 255][i] ?? 0);
  const clear = picture(1, 1, 4, (i) => [0, 255, 0, 0][i] ?? 0);
  const blue = picture(1, 1, 4, (i) => [0, 0, 255, 255][i] ?? 0);

  it("weighs colours by alpha", () => {
    expect([...mixImages(red, blue, 0.25).data]).toEqual([191, 0, 64, 255]);
    expect([...mixImages(red, clear, 0.5).data]).toEqual([255, 0, 0, 128]);
    expect([...mixImages(clear, clear, 0.5).data]).toEqual([0, 0, 0, 0]);
    expect([...mixImages(red, blue, 0).data]).toEqual([...red.data]);
  });

  it("refuses other sizes", () => {
    expect(() =>
      mixImages(
        red,
        picture(2, 1, 4, () => 0),
        0.5,
      ),
    ).toThrow(/got 2×1/);
  });
});
