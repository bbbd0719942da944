import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Image } from "@diptych/core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker } from "./bundle-worker.test-support.js";
import { createEvaluationTransform } from "./evaluation-transform.js";
import { createImagePipeline, type ImagePipeline } from "./image-pipeline.js";

const size = { imageHeight: 20, imageWidth: 24 };
let folder: string;
let worker: URL;
const files: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-pipeline-"));
  worker = await bundleWorker();
  for (let i = 0; i < 12; i++) {
    const [width, height] = [40 + 13 * i, 90 - 3 * i];
    const data = Uint8Array.from({ length: width * height * 3 }, (_, j) => (j * (i + 3)) & 255);
    const file = join(folder, `${i}.png`);
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(file);
    files.push(file);
  }
});
afterAll(() => rm(folder, { recursive: true }));

async function using<T>(
  workers: number,
  work: (pipeline: ImagePipeline) => Promise<T>,
): Promise<T> {
  const pipeline = createImagePipeline(size, { workers }, { file: worker });
  try {
    return await work(pipeline);
  } finally {
    await pipeline.dispose();
  }
}

const grey = (value: number): Image => ({
  width: 300,
  height: 300,
  channels: 1,
  data: new Uint8Array(90_000).fill(value),
});

describe("createImagePipeline", () => {
  it("gives what the transform gives, in order, on threads and on its own", async () => {
    const transform = createEvaluationTransform(size);
    const sources = [...files, await sharp(files[3]).jpeg().toBuffer(), grey(9), grey(200)];
    const wanted = await Promise.all(sources.map((source) => transform.tensor(source)));
    for (const workers of [0, 1, 2]) {
      const tensor = await using(workers, (pipeline) => pipeline.prepare(sources));
      expect(tensor.shape).toEqual([15, 3, 20, 24]);
      wanted.forEach(({ data }, i) => {
        expect(tensor.data.subarray(i * 1440, (i + 1) * 1440)).toEqual(data);
      });
    }
  });

  it("leaves the caller's bytes with the caller", async () => {
    const bytes = new Uint8Array(await sharp(files[0]).png().toBuffer());
    await using(1, (pipeline) => pipeline.prepare([bytes, bytes]));
    expect(bytes.length).toBeGreaterThan(100);
  });

  it("names the first picture that fails, and goes on working", async () => {
    const broken = join(folder, "broken.jpg");
    await writeFile(broken, "no picture, and long enough to be looked at twice");
    await using(2, async (pipeline) => {
      const sources = [...files, broken, join(folder, "missing.jpg")];
      await expect(pipeline.prepare(sources)).rejects.toMatchObject({
        code: "DATA",
        message: expect.stringContaining("broken.jpg: expected a readable picture") as string,
      });
      expect((await pipeline.prepare(files)).shape[0]).toBe(12);
    });
  });

  it("stops when it is told to", async () => {
    await using(1, async (pipeline) => {
      const controller = new AbortController();
      const many = Array.from({ length: 400 }, (_, i) => files[i % files.length] as string);
      const prepared = pipeline.prepare(many, { signal: controller.signal });
      setTimeout(() => controller.abort(), 5);
      await expect(prepared).rejects.toMatchObject({ name: "AbortError" });
      await expect(pipeline.prepare(files, { signal: AbortSignal.abort() })).rejects.toThrow();
      expect((await pipeline.prepare(files)).shape[0]).toBe(12);
    });
  });

  it("refuses work once disposed, and a wrong number of workers", async () => {
    const pipeline = createImagePipeline(size, { workers: 1 }, { file: worker });
    await pipeline.prepare(files);
    await pipeline.dispose();
    await pipeline.dispose();
    await expect(pipeline.prepare(files)).rejects.toThrow(/got a disposed one/);
    expect(() => createImagePipeline(size, { workers: 1.5 })).toThrow(/expected a whole number/);
    expect((await createImagePipeline(size).prepare([])).shape).toEqual([0, 3, 20, 24]);
  });

  it("gives values that may be handed to another thread", async () => {
    const { data } = await using(1, (pipeline) => pipeline.prepare(files));
    expect(data.buffer).toBeInstanceOf(ArrayBuffer);
    const echo = new Worker("require('worker_threads').parentPort.once('message', () => {})", {
      eval: true,
    });
    echo.postMessage(data, [data.buffer as ArrayBuffer]);
    expect(data.length).toBe(0);
    await echo.terminate();
  });
});
