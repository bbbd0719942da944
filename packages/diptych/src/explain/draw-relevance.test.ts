import { createHostTensor, type Image } from "@diptych/core";
import { expect, it } from "vitest";
import { heatColour } from "./colormap.js";
import { drawRelevance } from "./draw-relevance.js";
import { seenRegion } from "./seen-region.js";

const grey = (width: number, height: number): Image => ({
  width,
  height,
  channels: 1,
  data: new Uint8Array(width * height).fill(100),
});

/** Lightness, roughly, of a pixel. */
const light = ({ data, width }: Image, x: number, y: number): number => {
  const at = (y * width + x) * 3;
  return 0.3 * data[at]! + 0.6 * data[at + 1]! + 0.1 * data[at + 2]!;
};

it("draws the picture and each map over it: bright where relevant, changing steadily between places", async () => {
  const map = createHostTensor("float32", [1, 2], Float32Array.of(3, 1));
  const flat = createHostTensor("float32", [1, 2], Float32Array.of(0, 0));
  const region = { left: 0, top: 0, width: 20, height: 10 };
  const drawn = await drawRelevance(grey(20, 10), [map, flat], { region });
  expect([drawn.width, drawn.height, drawn.channels]).toEqual([3 * 20 + 2 * 8, 10, 3]);
  expect(light(drawn, 5, 5)).toBe(100);
  const across = Array.from({ length: 20 }, (_, x) => light(drawn, 28 + x, 5));
  expect(across[0]).toBeGreaterThan(150);
  expect(across[19]).toBeLessThan(80);
  // Flat up to the centre of a place, then down without a step.
  expect(across[3]).toBe(across[0]);
  across.slice(1).forEach((value, i) => expect(value).toBeLessThanOrEqual(across[i]! + 1));
  across.slice(1).forEach((value, i) => expect(across[i]! - value).toBeLessThan(30));
  // No relevance at all: dark everywhere.
  expect(light(drawn, 56, 5)).toBeCloseTo(light(drawn, 75, 5), 10);
});

it("darkens what the model does not see, and reduces large pictures", async () => {
  const region = seenRegion(
    { width: 400, height: 100 },
    { imageWidth: 32, imageHeight: 32, resizeMode: "shortest" },
  );
  expect(region).toEqual({ left: 150, top: 0, width: 100, height: 100 });
  const map = createHostTensor("float32", [1, 1], Float32Array.of(1));
  const drawn = await drawRelevance(grey(400, 100), [map], {
    region,
    maxSide: 40,
    original: false,
  });
  expect([drawn.width, drawn.height]).toEqual([40, 10]);
  expect(light(drawn, 14, 5)).toBe(25);
  expect(light(drawn, 25, 5)).toBe(25);
  expect(light(drawn, 15, 5)).toBe(light(drawn, 24, 5));
  expect(light(drawn, 15, 5)).toBeGreaterThan(25);
});

it("knows the region of each way of resizing", () => {
  const wide = { width: 300, height: 100 };
  const target = { imageWidth: 224, imageHeight: 224 };
  expect(seenRegion(wide, { ...target, resizeMode: "squash" })).toEqual({
    left: 0,
    top: 0,
    width: 300,
    height: 100,
  });
  expect(seenRegion(wide, { ...target, resizeMode: "longest" })).toEqual({
    left: 0,
    top: -100,
    width: 300,
    height: 300,
  });
  expect(seenRegion(wide, { ...target, resizeMode: "shortest" })).toEqual({
    left: 100,
    top: 0,
    width: 100,
    height: 100,
  });
});

it("has colours from black to pale yellow whose lightness rises", () => {
  expect(heatColour(-1)).toEqual([0, 0, 4]);
  expect(heatColour(2)).toEqual([252, 255, 164]);
  const lights = Array.from({ length: 101 }, (_, i) => {
    const [r, g, b] = heatColour(i / 100);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });
  lights.slice(1).forEach((value, i) => expect(value).toBeGreaterThan(lights[i]!));
});
