// The short API on golden models, in every format that their folders hold: the features that open_clip computes.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Clip } from "../load-clip.js";
import { loadClip } from "../load-clip.js";
import { goldenFolder, readTensors } from "./models.golden.test-support.js";

/** Of a feature's largest entry; OpenAI's archives hold weights in half precision (11 bits), their twins do not. */
const TOLERANCE = 1e-5;
const HALF_TOLERANCE = 1e-2;

const models = path.join(goldenFolder, "models");
const formats = ["", "hf", "open_clip_pytorch_model.bin", "epoch_3.pt", "openai.pt"];
const cases = readdirSync(models)
  .filter((name) => existsSync(path.join(models, name, "golden.safetensors")))
  .flatMap((name) => formats.map((format) => [name, format] as const))
  .filter(([name, format]) => existsSync(path.join(models, name, format)));

/** A training checkpoint says nothing of the model; these ones' head counts do not follow from their widths. */
function configOf(name: string, format: string): { readonly modelConfig?: unknown } {
  if (format !== "epoch_3.pt") return {};
  const text = readFileSync(path.join(models, name, "open_clip_config.json"), "utf8");
  return { modelConfig: (JSON.parse(text) as { model_cfg: unknown }).model_cfg };
}

const load = (name: string, format: string): Promise<Clip> =>
  loadClip(path.join(models, name, format), {
    log: () => undefined,
    ...configOf(name, format),
  });

let clip: Clip | undefined;
afterEach(async () => {
  await clip?.dispose();
  clip = undefined;
});

describe.each(cases)("%s as %s", (name, format) => {
  const tolerance = format === "openai.pt" ? HALF_TOLERANCE : TOLERANCE;

  test("gives open_clip's features", async () => {
    const golden = await readTensors(path.join(models, name, "golden.safetensors"));
    const valuesOf = (key: string): number[] => [...(golden.get(key)?.data ?? [])];
    clip = await load(name, format);
    const image = Float32Array.from(valuesOf("image"));
    const ids = Int32Array.from(valuesOf("text"));
    const found = {
      image_features: await clip.encodePixels(image, { normalize: false }),
      image_features_normalized: await clip.encodePixels(image),
      text_features: await clip.encodeTokens(ids, { normalize: false }),
      text_features_normalized: await clip.encodeTokens(ids),
    };
    for (const [key, { data, shape }] of Object.entries(found)) {
      const expected = valuesOf(key);
      expect([key, shape]).toEqual([key, golden.get(key)?.shape]);
      const largest = Math.max(...expected.map(Math.abs));
      const distance = Math.max(...expected.map((value, i) => Math.abs(value - (data[i] ?? NaN))));
      expect(distance / largest, key).toBeLessThan(tolerance);
    }
    const logits = await clip.similarity(
      found.image_features_normalized,
      found.text_features_normalized,
    );
    const expected = valuesOf("logits_per_image");
    const largest = Math.max(...expected.map(Math.abs));
    const scale = clip.logitScale;
    expected.forEach((value, i) => {
      expect(Math.abs(value - scale * (logits.data[i] ?? NaN)) / largest).toBeLessThan(tolerance);
    });
  });

  test("says that texts need the model's own tokenizer", async () => {
    clip = await load(name, format);
    await expect(clip.encodeTexts(["a cat"])).rejects.toThrow(/one of the model's \d+ ids/);
  });
});
