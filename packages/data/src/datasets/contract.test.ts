import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeDatasetContract } from "@diptych/testing";
import sharp from "sharp";
import { afterAll, beforeAll } from "vitest";
import { numbersDataset, numbersStream } from "../loader/loader.test-support.js";
import { emojiSchema } from "./emoji/config.js";
import { createEmojiDataset } from "./emoji/emoji-dataset.js";
import { tinyEmojiSet } from "./emoji/emoji.test-support.js";
import { imageFolderSchema } from "./image-folder/config.js";
import { loadImageFolder } from "./image-folder/image-folder-dataset.js";
import { jsonlSchema } from "./jsonl/config.js";
import { loadJsonl } from "./jsonl/jsonl-dataset.js";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "diptych-contract-"));
  const lines: string[] = [];
  for (let i = 0; i < 5; i++) {
    const background = { r: i * 40, g: 10, b: 200 };
    const picture = sharp({ create: { width: 4, height: 3, channels: 3, background } });
    await picture.png().toFile(join(root, `thing-${i}.png`));
    lines.push(JSON.stringify({ image: `thing-${i}.png`, captions: [`thing ${i}`, `a ${i}`] }));
  }
  writeFileSync(join(root, "pairs.jsonl"), lines.join("\n"));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

describeDatasetContract({
  name: "emoji, train",
  create: () => createEmojiDataset(tinyEmojiSet()),
});
describeDatasetContract({
  name: "emoji, held-out style",
  create: () => createEmojiDataset(tinyEmojiSet(), emojiSchema.parse({ part: "heldOutStyle" })),
});
describeDatasetContract({
  name: "image folder",
  create: () => {
    const templates = ["a photo of a {class}", "the {class}"];
    return loadImageFolder(imageFolderSchema.parse({ path: ".", layout: "flat", templates }), root);
  },
});
describeDatasetContract({
  name: "jsonl",
  create: () => loadJsonl(jsonlSchema.parse({ path: "pairs.jsonl" }), root),
});
// The sets that the loader's tests stand on keep the contract as well.
describeDatasetContract({
  name: "numbers",
  create: () => numbersDataset(9, { concept: (i) => `c${i % 3}` }),
});
describeDatasetContract({ name: "number stream", create: () => numbersStream(9) });
