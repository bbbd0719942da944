import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "./decode-image.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-decode-"));
});
afterAll(() => rm(folder, { recursive: true }));

const noise = (width: number, height: number, channels: 3 | 4): Buffer =>
  Buffer.from(
    Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 2654435761) >>> 24),
  );

function encoded(channels: 3 | 4 = 3): Sharp {
  return sharp(noise(64, 48, channels), { raw: { width: 64, height: 48, channels } });
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "DATA" });
  return (error as Error).message;
}

describe("decodeImage", () => {
  it("gives back the pixels of a PNG, with and without alpha", async () => {
    for (const channels of [3, 4] as const) {
      const image = await decodeImage(await encoded(channels).png().toBuffer());
      expect(image).toMatchObject({ width: 64, height: 48, channels });
      expect(Buffer.from(image.data).equals(noise(64, 48, channels))).toBe(true);
    }
  });

  it("expands palettes, grey and 16 bits to 8-bit RGB", async () => {
    const palette = await decodeImage(await encoded().png({ palette: true }).toBuffer());
    expect(palette.channels).toBe(3);
    const grey = await decodeImage(await encoded().greyscale().png().toBuffer());
    expect(grey).toMatchObject({ width: 64, height: 48, channels: 3 });
    const deep = await encoded().toColourspace("rgb16").png().toBuffer();
    const image = await decodeImage(deep);
    expect(Buffer.from(image.data).equals(noise(64, 48, 3))).toBe(true);
  });

  it("turns a picture by its orientation only when asked", async () => {
    const turned = await encoded().jpeg().withMetadata({ orientation: 6 }).toBuffer();
    expect(await decodeImage(turned)).toMatchObject({ width: 64, height: 48 });
    expect(await decodeImage(turned, { orient: true })).toMatchObject({ width: 48, height: 64 });
  });

  it("names a corrupt picture and says what to do", async () => {
    const path = join(folder, "corrupt.png");
    const bytes = await encoded().png().toBuffer();
    bytes.fill(0x55, 60, 400);
    await writeFile(path, bytes);
    const message = await messageOf(decodeImage(path));
    expect(message).toContain(path);
    expect(message).toMatch(/expected a readable picture, got a corrupt or cut-off picture/);
    expect(message).toMatch(/onBadSample to "skip"/);
  });

  it.each(["jpeg", "png", "webp"] as const)("refuses a %s that is cut off", async (format) => {
    const path = join(folder, `cut.${format}`);
    const bytes = await encoded().toFormat(format).toBuffer();
    await writeFile(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    expect(await messageOf(decodeImage(path))).toMatch(/cut-off/);
  });

  it("tells a missing file, a folder, an empty file and no image apart", async () => {
    expect(await messageOf(decodeImage(join(folder, "none.png")))).toMatch(/got no such file/);
    expect(await messageOf(decodeImage(folder))).toMatch(/got a folder/);
    const empty = join(folder, "empty.png");
    await writeFile(empty, "");
    expect(await messageOf(decodeImage(empty))).toMatch(/got an empty file/);
    const text = join(folder, "text.png");
    await writeFile(text, "no picture at all, but a text of some length");
    expect(await messageOf(decodeImage(text))).toMatch(/no known image format.*Use JPEG, PNG/);
  });

  it("keeps to the pixel limit", async () => {
    const bytes = await encoded().png().toBuffer();
    expect(await messageOf(decodeImage(bytes, { pixelLimit: 3071, name: "big" }))).toMatch(
      /big: .*got more than 3071 pixels/,
    );
    await expect(decodeImage(bytes, { pixelLimit: 3072 })).resolves.toBeDefined();
  });
});
