import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { emojiSchema } from "./config.js";
import { createEmojiDataset } from "./emoji-dataset.js";
import { loadEmojiSet, type EmojiSet } from "./emoji-set.js";
import { emojiPixelBaseline } from "./pixel-baseline.js";

let cacheDir: string;
let set: EmojiSet;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "diptych-emoji-full-"));
  set = await loadEmojiSet({ baseDir: process.cwd(), cacheDir });
}, 300_000);
afterAll(() => rm(cacheDir, { recursive: true }));

it("renders all 6,344 drawings within 90 seconds, and loads them again within one", async () => {
  expect(set.concepts).toHaveLength(1586);
  expect(set.renderSeconds).toBeLessThan(90);
  const start = performance.now();
  const again = await loadEmojiSet({ baseDir: process.cwd(), cacheDir });
  expect(performance.now() - start).toBeLessThan(1000);
  expect(again.renderSeconds).toBe(0);
});

it("splits into 1,362 trained concepts and 224 held out", () => {
  const size = (part: "train" | "heldOutStyle" | "heldOutConcepts"): number =>
    createEmojiDataset(set, emojiSchema.parse({ part })).size;
  expect([size("train"), size("heldOutStyle"), size("heldOutConcepts")]).toEqual([1362, 1362, 224]);
});

it("names Fluent by pixels as well as was measured elsewhere", async () => {
  // .437 of all 1,586 concepts, in numpy on the same rendering; standard error 1.2 points.
  const { top1, queries } = await emojiPixelBaseline(set, emojiSchema.parse({ split: "style" }));
  expect(queries).toBe(1586);
  expect(Math.abs(top1 - 0.437)).toBeLessThan(0.02);
});
