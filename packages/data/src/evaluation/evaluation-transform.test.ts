import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Image } from "@diptych/core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEvaluationTransform } from "./evaluation-transform.js";
import { placePicture } from "./geometry.js";
import { evaluationSettingsFrom } from "./settings.js";

const input = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/preprocess/input/${name}`, import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-evaluation-"));
});
afterAll(() => rm(folder, { recursive: true }));

const small = { imageHeight: 32, imageWidth: 32 };

function levels(a: Image, b: Image): { mean: number; largest: number } {
  let [sum, largest] = [0, 0];
  a.data.forEach((value, i) => {
    const distance = Math.abs(value - (b.data[i] ?? NaN));
    sum += distance;
    largest = Math.max(largest, distance);
  });
  return { mean: sum / a.data.length, largest };
}

describe("placePicture", () => {
  it.each([
    // Sizes and offsets of torchvision and open_clip, worked out by hand.
    ["shortest", 640, 427, 224, 224, { resizedWidth: 335, resizedHeight: 224, left: 56, top: 0 }],
    ["shortest", 427, 640, 224, 224, { resizedWidth: 224, resizedHeight: 335, left: 0, top: 56 }],
    // An offset of 0.5 becomes 0, of 1.5 becomes 2: halves to even.
    ["shortest", 225, 224, 224, 224, { resizedWidth: 225, left: 0 }],
    ["shortest", 227, 224, 224, 224, { resizedWidth: 227, left: 2 }],
    ["longest", 700, 9, 64, 64, { resizedWidth: 64, resizedHeight: 1, height: 1, targetTop: 31 }],
    ["longest", 100, 50, 40, 40, { resizedHeight: 20, targetTop: 10, targetLeft: 0 }],
    ["squash", 100, 50, 40, 30, { resizedWidth: 40, resizedHeight: 30, width: 40, height: 30 }],
    ["shortest", 100, 100, 40, 30, { resizedWidth: 40, resizedHeight: 40, top: 5, height: 30 }],
  ] as const)("%s: %i×%i to %i×%i", (mode, width, height, toWidth, toHeight, wanted) => {
    const target = { width: toWidth, height: toHeight };
    expect(placePicture({ width, height }, target, mode)).toMatchObject(wanted);
  });

  it("refuses a side that would vanish", () => {
    const size = { width: 32, height: 32 };
    expect(() => placePicture({ width: 3000, height: 2 }, size, "longest")).toThrow(
      /got 3000×2, which "longest" makes 32×0/,
    );
  });
});

describe("settings", () => {
  it("are CLIP's by default, and open_clip's where its preprocess_cfg says so", () => {
    expect(createEvaluationTransform().settings).toMatchObject({
      imageHeight: 224,
      resizeMode: "shortest",
      interpolation: "bicubic",
      rgb: "early",
      orientation: "ignore",
    });
    const siglip = {
      size: [256, 128],
      mode: "RGB",
      mean: [0.5, 0.5, 0.5],
      std: 0.5,
      interpolation: "bilinear",
      resize_mode: "squash",
      fill_color: 3,
    };
    expect(evaluationSettingsFrom(siglip, { rgb: "late" })).toMatchObject({
      imageHeight: 256,
      imageWidth: 128,
      std: [0.5, 0.5, 0.5],
      interpolation: "bilinear",
      resizeMode: "squash",
      fillColor: 3,
      rgb: "late",
    });
    expect(
      evaluationSettingsFrom({ size: 384, interpolation: "random", resize_mode: null }),
    ).toMatchObject({
      imageHeight: 384,
      imageWidth: 384,
      interpolation: "bicubic",
      resizeMode: "shortest",
    });
  });

  it("are refused with what is wrong", () => {
    expect(() => createEvaluationTransform({ imageHeight: 0, std: [1, 0, 1] })).toThrow(
      /imageHeight.*std: expected values above 0/s,
    );
    expect(() => evaluationSettingsFrom({ mode: "L" })).toThrow(/preprocess_cfg.*mode/s);
  });
});

describe("createEvaluationTransform", () => {
  it("ignores EXIF orientation unless it is to honour it", async () => {
    const bytes = await sharp(input("rocket.jpg"))
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const upright = await sharp(bytes).autoOrient().png().toBuffer();
    for (const resize of ["exact", "fast"] as const) {
      const honour = createEvaluationTransform({ ...small, resize, orientation: "honour" });
      const ignore = createEvaluationTransform({ ...small, resize });
      const wanted = await createEvaluationTransform(small).pixels(upright);
      expect(levels(await honour.pixels(bytes), wanted).mean).toBeLessThan(1);
      expect(levels(await ignore.pixels(bytes), wanted).mean).toBeGreaterThan(5);
    }
  });

  it("ignores colour profiles", async () => {
    const withProfile = input("rocket.jpg");
    const { icc } = await sharp(withProfile).metadata();
    expect(icc?.length).toBeGreaterThan(100);
    const { data, info } = await sharp(withProfile, { ignoreIcc: true })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const plain = { width: info.width, height: info.height, channels: 3 as const, data };
    const transform = createEvaluationTransform(small);
    const wanted = await transform.pixels(plain);
    expect(levels(await transform.pixels(withProfile), wanted).largest).toBe(0);
  });

  it("shows the stored colour under transparency, or a background", async () => {
    const clear: Image = { width: 2, height: 2, channels: 4, data: new Uint8Array(16) };
    clear.data.set([90, 80, 70, 0, 90, 80, 70, 0, 90, 80, 70, 0, 90, 80, 70, 0]);
    for (const rgb of ["early", "late"] as const) {
      const over = { ...small, rgb, background: [255, 254, 0] as [number, number, number] };
      const shown = await createEvaluationTransform(over).pixels(clear);
      expect([...shown.data.subarray(0, 3)]).toEqual([255, 254, 0]);
    }
    const stored = await createEvaluationTransform(small).pixels(clear);
    expect([...stored.data.subarray(0, 3)]).toEqual([90, 80, 70]);
  });

  it("is near its exact pixels in fast mode, and exact where nothing is gained", async () => {
    const exact = createEvaluationTransform();
    const fast = createEvaluationTransform({ resize: "fast" });
    for (const name of ["rocket.jpg", "progressive.jpg", "odd-crop.webp"]) {
      const { mean } = levels(await exact.pixels(input(name)), await fast.pixels(input(name)));
      expect(mean).toBeLessThan(1.5);
    }
    for (const name of ["rgba.png", "cmyk.jpg", "animated.gif", "palette.png"]) {
      expect(await fast.pixels(input(name))).toEqual(await exact.pixels(input(name)));
    }
    const padded = { ...small, resizeMode: "longest", fillColor: 9 } as const;
    const row = await createEvaluationTransform({ ...padded, resize: "fast" }).pixels(
      input("rocket.jpg"),
    );
    const wanted = await createEvaluationTransform(padded).pixels(input("rocket.jpg"));
    expect([...row.data.subarray(0, 3)]).toEqual([9, 9, 9]);
    expect(levels(row, wanted).mean).toBeLessThan(3);
  });

  it("names what it cannot read, and keeps to the limit before it decodes", async () => {
    const transform = createEvaluationTransform(small);
    const bytes = await sharp(input("animated.gif")).gif().toBuffer();
    const cut = join(folder, "cut.gif");
    await writeFile(cut, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    await expect(transform.pixels(cut)).rejects.toMatchObject({
      code: "DATA",
      message: expect.stringMatching(
        /cut\.gif: expected a readable picture.*ends too early/s,
      ) as string,
    });
    // A header that says 60,000×60,000, and next to nothing behind it.
    const huge = new Uint8Array(await sharp(input("tiny.png")).png().toBuffer());
    new DataView(huge.buffer).setUint32(16, 60_000);
    new DataView(huge.buffer).setUint32(20, 60_000);
    const before = process.memoryUsage().rss;
    await expect(transform.pixels(huge)).rejects.toThrow(
      /image bytes: .*more than 100000000 pixels/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    const few = createEvaluationTransform({ ...small, maxPixels: 100 });
    for (const name of ["tiny.png", "rocket.jpg", "odd-crop.webp", "animated.gif"]) {
      await expect(few.pixels(input(name))).rejects.toThrow(/more than 100 pixels/);
    }
    const wrong = { width: 4, height: 4, channels: 3, data: new Uint8Array(5) } as const;
    await expect(transform.pixels(wrong)).rejects.toThrow(/expected at least one pixel and 4×4×3/);
  });
});
