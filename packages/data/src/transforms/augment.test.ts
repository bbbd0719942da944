import { createRandom, type Image } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { createAugmentTransform } from "./augment.js";
import { augmentSchema, type AugmentConfig } from "./config.js";

const target = { imageHeight: 32, imageWidth: 32 };

/** Every strength zero, but for `changes`. */
function only(changes: Partial<AugmentConfig>): AugmentConfig {
  const none = Object.fromEntries(Object.keys(augmentSchema.shape).map((key) => [key, 0]));
  return augmentSchema.parse({ ...none, ...changes });
}

/** A soft disc: opaque red inside, green under full transparency outside. */
function disc(): Image {
  const data = new Uint8Array(32 * 32 * 4);
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      const inside = Math.min(Math.max(11 - Math.hypot(x - 15.5, y - 15.5), 0), 1);
      const alpha = Math.round(inside * 255);
      data.set(alpha === 0 ? [0, 255, 0, 0] : [200, 40, 20, alpha], (y * 32 + x) * 4);
    }
  }
  return { width: 32, height: 32, channels: 4, data };
}

const apply = (config: AugmentConfig, image: Image, seed: number): Image =>
  createAugmentTransform(config, target).apply(image, createRandom(seed)) as Image;

const pixel = (image: Image, x: number, y: number): number[] => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

describe("augment", () => {
  it("depends on the random stream alone, also when its buffers are used in between", () => {
    const config = augmentSchema.parse({});
    const transform = createAugmentTransform(config, target);
    const draw = (seed: number): Image => transform.apply(disc(), createRandom(seed)) as Image;
    const firsts = Array.from({ length: 60 }, (_, seed) => draw(seed));
    const agains = Array.from({ length: 60 }, (_, seed) => draw(59 - seed)).reverse();
    expect(agains).toEqual(firsts);
    expect(new Set(firsts.map(({ data }) => data.join())).size).toBe(60);
  });

  it("draws on white without seams, and exactly, when nothing is changed", () => {
    const image = disc();
    const flat = apply(only({}), image, 0);
    expect(flat).toMatchObject({ width: 32, height: 32, channels: 3 });
    const errors = [...flat.data].map((value, i) => {
      const at = Math.floor(i / 3) * 4;
      const alpha = (image.data[at + 3] ?? 0) / 255;
      return Math.abs(value - (image.data[at + (i % 3)] ?? 0) * alpha - 255 * (1 - alpha));
    });
    expect(Math.max(...errors)).toBeLessThanOrEqual(0.51);
  });

  it("shows no colour from under transparent pixels after warping and filtering", () => {
    const config = only({ scale: 0.3, shift: 0.2, aspect: 0.2, rotation: 20, filter: 1 });
    for (let seed = 0; seed < 50; seed++) {
      const { data } = apply(config, disc(), seed);
      // Between white and (200, 40, 20), red is the largest channel everywhere, and green is above blue.
      let seams = 0;
      for (let i = 0; i < data.length; i += 3) {
        const [r = 0, g = 0, b = 0] = data.subarray(i, i + 3);
        if (r < g - 1 || g < b - 1) seams += 1;
      }
      expect(seams).toBe(0);
    }
  });

  it("moves and scales as asked: a quarter larger disc has 1.56 times the area", () => {
    const area = (image: Image): number =>
      image.data.reduce((sum, value, i) => (i % 3 === 2 ? sum + (255 - value) / 235 : sum), 0);
    const before = area(apply(only({}), disc(), 0));
    const ratios = Array.from(
      { length: 300 },
      (_, seed) => area(apply(only({ scale: 0.25 }), disc(), seed)) / before,
    );
    expect(Math.max(...ratios)).toBeGreaterThan(1.5);
    expect(Math.max(...ratios)).toBeLessThanOrEqual(1.5625 + 0.01);
    expect(Math.min(...ratios)).toBeLessThan(0.6);
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(0.5625 - 0.01);
  });

  it("turns grey, permutes, and rotates hues without touching white or grey", () => {
    const grey = pixel(apply(only({ grey: 1 }), disc(), 1), 16, 16);
    const luma = Math.round(0.299 * 200 + 0.587 * 40 + 0.114 * 20);
    expect(grey).toEqual([luma, luma, luma]);
    for (let seed = 0; seed < 20; seed++) {
      const image = apply(only({ permute: 1 }), disc(), seed);
      expect(pixel(image, 16, 16).sort((a, b) => a - b)).toEqual([20, 40, 200]);
      expect(pixel(image, 16, 16)).not.toEqual([200, 40, 20]);
      expect(pixel(image, 0, 0)).toEqual([255, 255, 255]);
      const hue = apply(only({ hue: 0.1 }), disc(), seed);
      expect(pixel(hue, 0, 0)).toEqual([255, 255, 255]);
      expect(pixel(hue, 16, 16)).not.toEqual([200, 40, 20]);
      expect(Math.max(...pixel(hue, 16, 16))).toBeLessThanOrEqual(255);
    }
  });

  it("draws a dark line around the shape only", () => {
    const image = apply(only({ outline: 1 }), disc(), 4);
    expect(pixel(image, 16, 16)).toEqual([200, 40, 20]);
    expect(pixel(image, 1, 1)).toEqual([255, 255, 255]);
    const row = Array.from({ length: 16 }, (_, x) => Math.max(...pixel(image, x, 16)));
    expect(Math.min(...row)).toBeLessThan(130);
  });

  it("covers a rectangle, and tints the background lightly", () => {
    const erased = Array.from({ length: 40 }, (_, seed) => apply(only({ erase: 1 }), disc(), seed));
    const plain = apply(only({}), disc(), 0);
    const changed = erased.filter(({ data }) => data.some((value, i) => value !== plain.data[i]));
    expect(changed.length).toBeGreaterThan(25);
    for (const { data } of erased) {
      const pixels = data.filter((value, i) => value !== plain.data[i]).length / 3;
      expect(pixels).toBeLessThanOrEqual(13 * 13);
    }
    const tinted = apply(only({ tint: 1 }), disc(), 2);
    expect(Math.min(...pixel(tinted, 0, 0))).toBeGreaterThanOrEqual(190);
    expect(pixel(tinted, 0, 0)).not.toEqual([255, 255, 255]);
    expect(pixel(tinted, 0, 0)).toEqual(pixel(tinted, 31, 31));
  });

  it("leaves an opaque picture without a border, and resizes another size first", async () => {
    const full: Image = {
      width: 48,
      height: 40,
      channels: 3,
      data: Uint8Array.from({ length: 48 * 40 * 3 }, (_, i) => [90, 120, 30][i % 3] ?? 0),
    };
    const config = only({ scale: 0.5, shift: 0.3, rotation: 15, filter: 1, outline: 1, tint: 1 });
    for (let seed = 0; seed < 20; seed++) {
      const image = await createAugmentTransform(config, target).apply(full, createRandom(seed));
      expect(image).toMatchObject({ width: 32, height: 32, channels: 3 });
      const errors = [...image.data].map((v, i) => Math.abs(v - ([90, 120, 30][i % 3] ?? 0)));
      expect(Math.max(...errors)).toBeLessThanOrEqual(1);
    }
  });

  it("stays in range at the strongest settings", () => {
    const config = augmentSchema.parse({
      scale: 0.9,
      shift: 1,
      aspect: 0.9,
      rotation: 180,
      hue: 0.5,
      permute: 1,
      grey: 0.5,
      erase: 1,
      outline: 1,
      filter: 1,
      tint: 1,
    });
    for (let seed = 0; seed < 200; seed++) {
      const { data } = apply(config, disc(), seed);
      expect(data).toBeInstanceOf(Uint8Array);
      expect(data).toHaveLength(3072);
    }
  });
});
