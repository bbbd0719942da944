import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRandom } from "@diptych/core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageFolderSchema, type ImageFolderConfig } from "./image-folder/config.js";
import { loadImageFolder, type ImageFolderDataset } from "./image-folder/image-folder-dataset.js";
import { jsonlSchema, type JsonlConfig } from "./jsonl/config.js";
import { loadJsonl, type JsonlDataset } from "./jsonl/jsonl-dataset.js";

let root: string;
const request = { random: createRandom(0) };

async function put(path: string, content?: string): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  const grey = { create: { width: 3, height: 2, channels: 3, background: "#808080" } } as const;
  await writeFile(file, content ?? (await sharp(grey).png().toBuffer()));
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diptych-folders-"));
  for (const path of [
    "classes/red_fox/2.png",
    "classes/red_fox/deep/1.PNG",
    "classes/cat/a.png",
    "classes/cat/bad.png",
    "flat/red_fox-12.png",
    "flat/red_fox (3).png",
    "flat/owl.png",
    "flat/7.png",
  ]) {
    await put(path);
  }
  await put("classes/cat/bad.png", "no picture, only text");
  await put("classes/cat/notes.txt", "left out");
  await put("classes/.hidden/x.png");
  await symlink(join(root, "flat/owl.png"), join(root, "classes/cat/linked.png"));
  await mkdir(join(root, "empty"));
});
afterAll(() => rm(root, { recursive: true }));

const folder = (
  config: Partial<ImageFolderConfig> & { path: string },
): Promise<ImageFolderDataset> => loadImageFolder(imageFolderSchema.parse(config), root);

describe("image folder", () => {
  it("takes classes from subfolders, in a fixed order", async () => {
    const dataset = await folder({ path: "classes" });
    expect(dataset.classNames).toEqual(["cat", "red fox"]);
    expect(dataset.size).toBe(5);
    const ids: string[] = [];
    for (const i of [0, 2, 3, 4]) ids.push((await dataset.sample(i, request)).id);
    expect(ids).toEqual(["cat/a.png", "cat/linked.png", "red_fox/2.png", "red_fox/deep/1.PNG"]);
    const sample = await dataset.sample(4, { ...request, images: 2, captions: 2 });
    expect(sample).toMatchObject({
      concept: "red fox",
      labels: { class: "red fox" },
      captions: ["a photo of a red fox", "a photo of a red fox"],
    });
    expect(sample.images.map(({ width, height, channels }) => [width, height, channels])).toEqual([
      [3, 2, 3],
      [3, 2, 3],
    ]);
    expect(dataset.conceptOf(0)).toBe("cat");
    expect([...dataset.captions()]).toEqual(["a photo of a cat", "a photo of a red fox"]);
  });

  it("takes classes from file names in a flat folder", async () => {
    const dataset = await folder({
      path: "flat",
      layout: "flat",
      templates: ["{class}!", "the {class}"],
    });
    expect([...dataset.classNames].sort()).toEqual(["7", "owl", "red fox"]);
    const captions = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const sample = await dataset.sample(1, { random: createRandom(seed), captions: 2 });
      expect(new Set(sample.captions).size).toBe(2);
      captions.add(sample.captions[0] ?? "");
    }
    expect(captions).toEqual(new Set(["owl!", "the owl"]));
  });

  it("renames classes, and says which names fit no folder", async () => {
    const dataset = await folder({ path: "classes", classNames: { red_fox: "fox" } });
    expect(dataset.classNames).toEqual(["cat", "fox"]);
    await expect(folder({ path: "classes", classNames: { dog: "hound" } })).rejects.toThrow(
      /classNames: expected names of folders there are \(cat, red_fox\), got dog/,
    );
  });

  it("teaches what belongs in an empty or wrong folder", async () => {
    await expect(folder({ path: "empty" })).rejects.toThrow(
      /empty: expected pictures \(JPEG.*got none\. Put them there, e\.g\. .*cat\/1\.jpg/,
    );
    await expect(folder({ path: "empty", layout: "flat" })).rejects.toThrow(/cat-1\.jpg/);
    await expect(folder({ path: "flat" })).rejects.toThrow(
      /expected a folder of pictures for each class, got 4 pictures.*layout: "flat"/,
    );
    await expect(folder({ path: "nowhere" })).rejects.toThrow(/expected a folder, got none/);
    await expect(folder({ path: "flat/owl.png" })).rejects.toThrow(/expected a folder, got a file/);
  });

  it("names a picture that cannot be read, and an index beyond the set", async () => {
    const dataset = await folder({ path: "classes" });
    await expect(dataset.sample(1, request)).rejects.toThrow(
      /cat\/bad\.png: .*no known image format/,
    );
    await expect(dataset.sample(5, request)).rejects.toThrow(/from 0 to 4, got 5/);
  });

  it("reads no picture where only captions are asked for", async () => {
    const dataset = await folder({ path: "classes" });
    const { images, captions } = await dataset.sample(1, { ...request, images: 0 });
    expect([images, captions]).toEqual([[], ["a photo of a cat"]]);
  });

  it("refuses templates without a class and unknown keys", () => {
    expect(imageFolderSchema.safeParse({ path: "x", templates: ["a photo"] }).success).toBe(false);
    expect(imageFolderSchema.safeParse({ path: "x", glob: "*" }).success).toBe(false);
  });
});

const lines = async (text: string, config: Partial<JsonlConfig> = {}): Promise<JsonlDataset> => {
  await put("data/train.jsonl", text);
  return loadJsonl(jsonlSchema.parse({ path: "data/train.jsonl", ...config }), root);
};

describe("jsonl", () => {
  it("reads captions, concepts, labels, blank lines and a byte order mark", async () => {
    await put("data/a.png");
    const dataset = await lines(
      `\uFEFF{"image":"a.png","caption":"one"}\r\n\n{"image":"a.png","captions":["x","y","z"],"concept":"letters","labels":{"class":"l","seen":["a","b"]},"width":3}`,
    );
    expect(dataset.size).toBe(2);
    expect(await dataset.sample(0, { ...request, images: 2 })).toMatchObject({
      id: "data/train.jsonl:1",
      captions: ["one"],
      images: [{ width: 3 }, { width: 3 }],
    });
    const second = await dataset.sample(1, { ...request, captions: 3 });
    expect([...second.captions].sort()).toEqual(["x", "y", "z"]);
    expect(second).toMatchObject({
      id: "data/train.jsonl:3",
      concept: "letters",
      labels: { class: "l", seen: ["a", "b"] },
    });
    expect([dataset.conceptOf(0), dataset.conceptOf(1)]).toEqual(["data/train.jsonl:1", "letters"]);
    expect([...dataset.captions()]).toEqual(["one", "x", "y", "z"]);
  });

  it("reports all wrong lines with file and line", async () => {
    const error: unknown = await lines(
      [
        '{"image":"a.png","caption":"fine"}',
        '{"image":"a.png", caption: "no quotes"}',
        '{"image":"a.png"}',
        '{"image":5,"caption":"x"}',
        '{"image":"a.png","caption":"x","captions":["y"]}',
        "[1]",
      ].join("\n"),
    ).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "DATA" });
    const { message } = error as Error;
    expect(message).toMatch(/got 5 that are wrong/);
    expect(message).toMatch(
      /data\/train\.jsonl:2: expected a JSON object on one line, got \{"image"/,
    );
    expect(message).toMatch(/data\/train\.jsonl:3: expected one of "caption" and "captions"/);
    expect(message).toMatch(/data\/train\.jsonl:4: image: /);
    expect(message).toMatch(/data\/train\.jsonl:5: expected one of/);
    expect(message).toMatch(/data\/train\.jsonl:6: /);
  });

  it("lists ten of many wrong lines", async () => {
    await expect(lines("x\n".repeat(25))).rejects.toThrow(/train\.jsonl:10: [^]*… and 15 more/);
  });

  it("teaches what belongs in an empty file, and says that there is none", async () => {
    await expect(lines("\n \n")).rejects.toThrow(
      /got an empty file\. Write one object on each line/,
    );
    const missing = jsonlSchema.parse({ path: "none.jsonl" });
    await expect(loadJsonl(missing, root)).rejects.toThrow(/expected a readable file, got none/);
  });

  it("names line and picture of a sample that cannot be read", async () => {
    const dataset = await lines('{"image":"gone.png","caption":"x"}');
    await expect(dataset.sample(0, request)).rejects.toThrow(
      /data\/gone\.png: .*no such file.*\(data\/train\.jsonl:1\)/,
    );
    const elsewhere = await lines('{"image":"owl.png","caption":"x"}', { imageRoot: "flat" });
    expect((await elsewhere.sample(0, request)).images).toHaveLength(1);
  });
});
