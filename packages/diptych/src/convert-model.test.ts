import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { safetensorsFile } from "@diptych/checkpoints";
import type { HostTensor } from "@diptych/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convertModel, type ModelFormat } from "./convert-model.js";
import { loadClip, type LoadClipOptions } from "./load-clip.js";
import { writeTinyModel } from "./tiny-model.test-support.js";

let root: string;
let own: string;
const texts = ["a red bird", "two dogs", "Crème brûlée!"];
const pixels = Float32Array.from({ length: 2 * 3 * 64 }, (_, i) => Math.sin(i));

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diptych-convert-"));
  own = join(root, "own");
  await writeTinyModel(own);
});
afterAll(() => rm(root, { recursive: true }));

async function featuresOf(path: string, options: LoadClipOptions = {}): Promise<number[][]> {
  const clip = await loadClip(path, { workers: 0, log: () => undefined, ...options });
  try {
    const both = [await clip.encodePixels(pixels), await clip.encodeTexts(texts)];
    return both.map(({ data }) => [...data]);
  } finally {
    await clip.dispose();
  }
}

describe("convertModel", () => {
  it.each<ModelFormat>(["open-clip", "hugging-face", "diptych"])(
    "writes %s so that it loads with the same features",
    async (format) => {
      const folder = join(root, format);
      expect(await convertModel(own, folder, { format })).toEqual([]);
      expect(await featuresOf(folder)).toEqual(await featuresOf(own));
      // Once more over what is there, and back.
      await convertModel(own, folder, { format });
      if (format === "diptych") return;
      const back = join(root, `${format}-back`);
      await convertModel(folder, back, { format: "open-clip" });
      expect(await featuresOf(back)).toEqual(await featuresOf(own));
    },
  );

  it("keeps how pictures are prepared", async () => {
    const folder = join(root, "prepared");
    await convertModel(own, folder);
    const text = await readFile(join(folder, "open_clip_config.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({
      preprocess_cfg: { size: [8, 8], mean: [0.5, 0.4, 0.3], resize_mode: "shortest" },
    });
  });

  it("writes the folder of transformers.js", async () => {
    const folder = join(root, "js");
    const files: string[] = [];
    await convertModel(own, folder, {
      format: "transformers.js",
      onFile: (file) => files.push(file),
    });
    expect(files.sort()).toEqual([
      "onnx/model.onnx",
      "onnx/text_model.onnx",
      "onnx/vision_model.onnx",
    ]);
  });

  it("reads at another size of pictures, and writes what it read", async () => {
    const folder = join(root, "larger");
    await convertModel(own, folder, { imageSize: 16 });
    const clip = await loadClip(folder, { workers: 0 });
    const { shape } = await clip.encodePixels(new Float32Array(3 * 256));
    expect(shape).toEqual([1, 8]);
    await clip.dispose();
    await expect(loadClip(own, { imageSize: 10 })).rejects.toThrow(/patchSize: .*divisor/);
  });

  it("fills what may be missing, and says so; refuses it otherwise", async () => {
    const folder = join(root, "gap");
    await convertModel(own, folder);
    const file = join(folder, "open_clip_model.safetensors");
    const reader = await safetensorsFile.open(file);
    const kept = new Map<string, HostTensor>();
    for (const { name } of reader.entries)
      if (name !== "visual.proj") kept.set(name, await reader.read(name));
    await reader.close();
    await safetensorsFile.write(file, { tensors: kept, metadata: {} });
    await expect(loadClip(folder)).rejects.toThrow(/missing +visual\.proj \[16, 8\]/);
    const notes = await convertModel(folder, join(root, "filled"), {
      allowMissing: ["visual.pro*"],
    });
    expect(notes).toEqual([expect.stringMatching(/"visual\.proj" is missing .* at random/)]);
    const [, filled] = await featuresOf(join(root, "filled"));
    expect(filled).toEqual((await featuresOf(own))[1]);
  });

  it("writes no tokenizer that cannot be the model's", async () => {
    const golden = join(import.meta.dirname, "../fixtures/models/vit-gelu");
    const folder = join(root, "own-vocabulary");
    const notes = await convertModel(golden, folder, { format: "hugging-face" });
    expect(notes).toEqual([expect.stringMatching(/vocabulary of its own/)]);
    await expect(readFile(join(folder, "tokenizer.json"))).rejects.toThrow(/ENOENT/);
    const js = convertModel(golden, join(root, "own-js"), { format: "transformers.js" });
    await expect(js).rejects.toThrow(/vocabulary of its own/);
  });

  it("refuses to write over other things, and our format for others' models", async () => {
    const folder = join(root, "open-clip-2");
    await convertModel(own, folder);
    await expect(convertModel(folder, join(root, "no"), { format: "diptych" })).rejects.toThrow(
      /expected a model that was trained here for "diptych", got one of open-clip/,
    );
    await writeFile(join(root, "precious.txt"), "mine");
    await expect(convertModel(own, root)).rejects.toThrow(/which would be lost/);
    await expect(convertModel(own, join(root, "precious.txt"))).rejects.toThrow(
      /expected a new folder/,
    );
  });
});
