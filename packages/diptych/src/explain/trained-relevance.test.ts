/** Models trained on pictures of which only the left half has to do with the caption: relevance must lie there. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, type Image } from "@diptych/core";
import { encodePng } from "@diptych/data";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openConfig } from "../load-config.js";
import { train } from "../train.js";
import { openInspector } from "./open-inspector.js";
import type { Inspector } from "./inspector.js";
import type { RelevanceMethod, RelevanceOptions } from "./relevance.js";

const SIDE = 16;
const COLOURS = {
  red: [220, 40, 40],
  green: [40, 200, 60],
  blue: [50, 60, 220],
  yellow: [220, 210, 50],
} as const;
type Colour = keyof typeof COLOURS;
const NAMES = Object.keys(COLOURS) as Colour[];

/** The left half in one colour, the right half in another, with some noise. */
function picture(left: Colour, right: Colour, seed: number): Image {
  const noise = createRandom(seed);
  const data = new Uint8Array(SIDE * SIDE * 3).map((_, i) => {
    const x = Math.floor(i / 3) % SIDE;
    const value = COLOURS[x < SIDE / 2 ? left : right][i % 3] ?? 0;
    return Math.min(255, Math.max(0, value + noise.integer(61) - 30));
  });
  return { width: SIDE, height: SIDE, channels: 3, data };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-relevance-"));
  const lines: string[] = [];
  for (let i = 0; i < 96; i++) {
    const [left, right] = [NAMES[i % 4]!, NAMES[Math.floor(i / 4) % 4]!];
    await writeFile(join(folder, `${i}.png`), await encodePng(picture(left, right, i)));
    lines.push(JSON.stringify({ image: `${i}.png`, caption: left, concept: left }));
  }
  await writeFile(join(folder, "set.jsonl"), lines.join("\n"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const VIT = { type: "vit", imageSize: SIDE, patchSize: 4, width: 32, layers: 2, heads: 2 };

const TOWERS: Readonly<Record<string, Record<string, unknown>>> = {
  "a ViT with a class token": VIT,
  "a ViT with the mean": { ...VIT, pooling: "avg" },
  "a ViT with attention pooling": {
    ...VIT,
    pooling: "attention",
    attentionPool: { queries: 1, heads: 2 },
  },
  "a compact ResNet": { type: "compact-resnet", imageSize: SIDE, stemWidth: 8, widths: [8, 16] },
};

/** A class token that has read the patches in an earlier block leaves little to the gradient of the last one's. */
const METHODS: Readonly<Record<string, readonly RelevanceMethod[]>> = {
  "a ViT with a class token": ["attention"],
  "a ViT with the mean": ["attention", "gradient"],
  "a ViT with attention pooling": ["gradient"],
  "a compact ResNet": ["gradient", "grad-cam"],
};

async function trainTower(name: string): Promise<Inspector> {
  const out = join(folder, name.replaceAll(" ", "-"));
  const opened = await openConfig(
    {
      name: "halves",
      model: {
        embedDim: 16,
        encoders: { image: TOWERS[name], text: { type: "bag-of-words", width: 16 } },
      },
      tokenizer: { type: "words" },
      data: { train: { type: "jsonl", path: join(folder, "set.jsonl") } },
      schedule: { type: "cosine", learningRate: 0.004 },
      training: { steps: 150, batchSize: 16 },
    } as never,
    { source: "test" },
  );
  const { modelPath } = await train({ opened, out });
  return openInspector(modelPath!, { threads: 1 });
}

/** Share of a map's relevance in its left half. */
function leftShare({
  data,
  shape: [rows = 1, columns = 1],
}: {
  data: ArrayLike<number>;
  shape: readonly number[];
}): number {
  let [left, all] = [0, 0];
  for (let i = 0; i < rows * columns; i++) {
    all += data[i]!;
    if (i % columns < columns / 2) left += data[i]!;
  }
  return left / all;
}

describe.each(Object.keys(TOWERS))("%s", (name) => {
  let inspector: Inspector;
  beforeAll(async () => {
    inspector = await trainTower(name);
  }, 120_000);
  afterAll(() => inspector.dispose());

  it.each(METHODS[name]!)("has its relevance by %s where the score is decided", async (method) => {
    const options: RelevanceOptions = method === "attention" ? { method, block: 0 } : { method };
    const shares: number[] = [];
    let right = 0;
    for (const left of NAMES) {
      for (const other of NAMES.filter((colour) => colour !== left)) {
        const image = picture(left, other, 1000 + shares.length);
        const found = await inspector.relevance(image, [left, other], options);
        if (found[0]!.similarity > found[1]!.similarity) right++;
        shares.push(leftShare(found[0]!.map));
      }
    }
    expect(right).toBe(12);
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean).toBeGreaterThan(0.7);
  });
});
