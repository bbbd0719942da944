import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRandom } from "@diptych/core";
import { describe, expect, it } from "vitest";
import wabt from "wabt";
import { createNormalizer } from "./normalize.js";
import { RESAMPLE_WASM } from "./resample-wasm.js";
import { createResampler, isDownFirst, type Bytes, type Region } from "./resampler.js";
import { createTaps, type Interpolation } from "./taps.js";

const random = createRandom(7);
const integer = (least: number, most: number): number =>
  least + Math.floor(random.next() * (most - least + 1));

function noise(width: number, height: number, channels: 3 | 4, extreme: boolean): Bytes {
  const data = Uint8Array.from({ length: width * height * channels }, () =>
    extreme ? (random.next() < 0.5 ? 0 : 255) : integer(0, 255),
  );
  return { width, height, channels, data };
}

/** One pass in plain integers: the definition that the program must equal. */
function pass(
  data: ArrayLike<number>,
  lines: { count: number; step: number; stride: number; outStep: number; outStride: number },
  taps: ReturnType<typeof createTaps>,
): Uint8Array {
  const outputs = taps.first.length;
  const out = new Uint8Array(lines.count * outputs);
  for (let line = 0; line < lines.count; line++) {
    for (let i = 0; i < outputs; i++) {
      let sum = 2 ** 21;
      for (let k = 0; k < (taps.count[i] ?? 0); k++) {
        const scaled = (taps.weights[i * taps.width + k] ?? 0) * 2 ** 22;
        const fixed = Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
        sum += fixed * (data[line * lines.step + ((taps.first[i] ?? 0) + k) * lines.stride] ?? NaN);
      }
      const value = Math.min(255, Math.max(0, Math.floor(sum / 2 ** 22)));
      out[line * lines.outStep + i * lines.outStride] = value;
    }
  }
  return out;
}

function plainResize(source: Bytes, region: Region, interpolation: Interpolation): Uint8Array {
  const { channels, width, height } = source;
  const out = new Uint8Array(region.width * region.height * channels);
  const columns = { from: width, to: region.resizedWidth, begin: region.left, interpolation };
  const rows = { from: height, to: region.resizedHeight, begin: region.top, interpolation };
  const across = createTaps({ ...columns, end: region.left + region.width });
  const down = createTaps({ ...rows, end: region.top + region.height });
  for (let c = 0; c < channels; c++) {
    const plane = source.data.filter((_, i) => i % channels === c);
    const horizontally = (data: Uint8Array, count: number): Uint8Array =>
      pass(data, { count, step: width, stride: 1, outStep: region.width, outStride: 1 }, across);
    const vertically = (data: Uint8Array, count: number): Uint8Array =>
      pass(data, { count, step: 1, stride: count, outStep: 1, outStride: count }, down);
    const resized = isDownFirst(source, region)
      ? horizontally(vertically(plane, width), region.height)
      : vertically(horizontally(plane, height), region.width);
    resized.forEach((value, i) => (out[i * channels + c] = value));
  }
  return out;
}

describe("createResampler", () => {
  it("equals sums of integers for any sizes, parts, channels and orders of the passes", () => {
    const resampler = createResampler();
    const orders = new Set<boolean>();
    for (let i = 0; i < 120; i++) {
      const channels = i % 2 === 0 ? 3 : 4;
      const source = noise(integer(1, 90), integer(1, 90), channels, i % 3 === 0);
      const [resizedWidth, resizedHeight] = [integer(1, 70), integer(1, 70)];
      const [left, top] = [integer(0, resizedWidth - 1), integer(0, resizedHeight - 1)];
      const region = {
        resizedWidth,
        resizedHeight,
        left,
        top,
        width: integer(1, resizedWidth - left),
        height: integer(1, resizedHeight - top),
      };
      const interpolation = i % 4 < 2 ? "bicubic" : "bilinear";
      orders.add(isDownFirst(source, region));
      const { data } = resampler.resample(source, region, interpolation);
      expect(Buffer.compare(data, plainResize(source, region, interpolation))).toBe(0);
    }
    expect(orders.size).toBe(2);
  });

  it("works in bands when a picture is wider than one, and copies a picture of the same size", () => {
    const resampler = createResampler();
    const wide = noise(30_000, 9, 3, false);
    const part = { left: 11, top: 1, width: 40, height: 3 };
    const region = { ...part, resizedWidth: 100, resizedHeight: 5 };
    const { data } = resampler.resample(wide, region, "bicubic");
    expect(Buffer.compare(data, plainResize(wide, region, "bicubic"))).toBe(0);
    const same = noise(33, 21, 4, true);
    const whole = { left: 0, top: 0, width: 33, height: 21, resizedWidth: 33, resizedHeight: 21 };
    expect(Buffer.compare(resampler.resample(same, whole, "bicubic").data, same.data)).toBe(0);
  });

  it("refuses what would take more than 1 GiB, and goes on", () => {
    const resampler = createResampler();
    const tall = { width: 1, height: 4_000_000, channels: 3, data: new Uint8Array(12e6) } as const;
    const grown = { left: 0, top: 0, width: 9, height: 4e6, resizedWidth: 500, resizedHeight: 4e6 };
    const region = { ...grown, width: 500 };
    expect(() => resampler.resample(tall, region, "bicubic")).toThrow(/at most 1 GiB.*4000000/s);
    const small = noise(8, 8, 3, false);
    const half = { left: 0, top: 0, width: 4, height: 4, resizedWidth: 4, resizedHeight: 4 };
    expect(resampler.resample(small, half, "bicubic").data).toHaveLength(48);
  });
});

describe("resample.wat", () => {
  it("is what the embedded bytes were assembled from", async () => {
    const assembler = await wabt();
    const text = readFileSync(new URL("resample.wat", import.meta.url), "utf8");
    const parsed = assembler.parseWat("resample.wat", text, { simd: true });
    const { buffer } = parsed.toBinary({});
    parsed.destroy();
    // Else: node packages/data/scripts/assemble-resample.mjs
    expect(Buffer.from(buffer).toString("base64")).toBe(RESAMPLE_WASM);
  });
});

describe("createNormalizer", () => {
  const clip = {
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  } as const;

  it("equals torchvision's ToTensor and Normalize bit for bit", () => {
    const data = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
    const out = new Float32Array(768);
    createNormalizer(clip)({ width: 16, height: 16, channels: 3, data }, out, 0);
    // PyTorch 2.15.0, torchvision 0.29.2: bytes of the float32 tensor of a 16×16 ramp 0 … 255.
    expect(createHash("sha256").update(new Uint8Array(out.buffer)).digest("hex")).toBe(
      "5d23c0b115c373c73875b37dce36aa6a54af484dd4332d5f9d07d6ebecb20900",
    );
  });

  it("writes at its place, whatever the number of pixels, and nowhere else", () => {
    const data = Uint8Array.from({ length: 5 * 7 * 3 }, (_, i) => i);
    const out = new Float32Array(200).fill(-7);
    createNormalizer({ mean: [0, 0, 0.5], std: [1, 1, 2] })(
      { width: 5, height: 7, channels: 3, data },
      out,
      50,
    );
    expect([out[49], out[155]]).toEqual([-7, -7]);
    expect(out[50]).toBe(0);
    expect(out[50 + 35 + 34]).toBe(Math.fround(103 / 255));
    expect(out[154]).toBeCloseTo((104 / 255 - 0.5) / 2, 6);
    expect(() => {
      createNormalizer(clip)({ width: 5, height: 7, channels: 3, data }, out, 96);
    }).toThrow(/expected room for 3×7×5 values at 96/);
  });
});
