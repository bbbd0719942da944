import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emojiSchema } from "./emoji/config.js";
import { createEmojiDataset } from "./emoji/emoji-dataset.js";
import { tinyEmojiSet } from "./emoji/emoji.test-support.js";
import { hashFiles } from "./file-hashes.js";
import { createRecordHash } from "./fingerprint.js";
import { imageFolderSchema } from "./image-folder/config.js";
import { loadImageFolder } from "./image-folder/image-folder-dataset.js";
import { jsonlSchema } from "./jsonl/config.js";
import { loadJsonl } from "./jsonl/jsonl-dataset.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "diptych-fingerprint-"));
});
afterEach(() => rm(root, { recursive: true }));

async function putPicture(path: string, grey: number): Promise<void> {
  const background = { r: grey, g: grey, b: grey };
  const picture = sharp({ create: { width: 3, height: 2, channels: 3, background } });
  await mkdir(join(root, path, ".."), { recursive: true });
  await writeFile(join(root, path), await picture.png().toBuffer());
}

/** Flips one bit of the last byte of a file. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(join(root, path));
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(join(root, path), bytes);
}

const DAY = new Date("2026-01-01T12:00:00Z");

describe("the fingerprint of an image folder", () => {
  const of = async (folder: string, options: object = {}): Promise<string> => {
    const config = imageFolderSchema.parse({ path: folder, ...options });
    const { hash, note } = await (await loadImageFolder(config, root)).fingerprint();
    expect(note).toMatch(/3 pictures' contents/);
    return hash;
  };
  beforeEach(async () => {
    await putPicture("a/cat/1.png", 10);
    await putPicture("a/cat/2.png", 20);
    await putPicture("a/dog/1.png", 30);
  });

  it("is the same wherever the folder is and in whatever order its files were made", async () => {
    await putPicture("elsewhere/b/dog/1.png", 30);
    await putPicture("elsewhere/b/cat/2.png", 20);
    await putPicture("elsewhere/b/cat/1.png", 10);
    expect(await of("elsewhere/b")).toBe(await of("a"));
    expect(await of(join(root, "a"))).toBe(await of("a"));
  });

  it("is not changed by times of change", async () => {
    const before = await of("a");
    await utimes(join(root, "a/cat/1.png"), DAY, DAY);
    expect(await of("a")).toBe(before);
  });

  it("changes with one bit of one picture, a name, a class and a template", async () => {
    const seen = [await of("a")];
    await flip("a/dog/1.png");
    seen.push(await of("a"));
    await cp(join(root, "a/dog/1.png"), join(root, "a/dog/9.png"));
    await rm(join(root, "a/dog/1.png"));
    seen.push(await of("a"));
    seen.push(await of("a", { classNames: { dog: "hound" } }));
    seen.push(await of("a", { templates: ["the {class}"] }));
    await rm(join(root, "a/cat/2.png"));
    await cp(join(root, "a/dog/9.png"), join(root, "a/cat/2.png"));
    seen.push(await of("a"));
    expect(new Set(seen).size).toBe(6);
  });
});

describe("the fingerprint of a JSONL file", () => {
  const of = async (lines: readonly object[], path = "set.jsonl"): Promise<string> => {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), lines.map((line) => JSON.stringify(line)).join("\n"));
    const dataset = await loadJsonl(jsonlSchema.parse({ path, imageRoot: "pictures" }), root);
    return (await dataset.fingerprint()).hash;
  };
  const first = { image: "1.png", caption: "one", labels: { class: "odd", size: "s" } };
  const second = { image: "2.png", captions: ["two", "zwei"] };
  beforeEach(async () => {
    await putPicture("pictures/1.png", 10);
    await putPicture("pictures/2.png", 20);
  });

  it("is of what the lines say and show, not of how and where they are written", async () => {
    const hash = await of([first, second]);
    const { image, labels, caption } = first;
    const turned = { note: "more", labels: { size: "s", class: labels.class }, caption, image };
    expect(await of([turned, second], "deep/other.jsonl")).toBe(hash);
    const absolute = { ...second, image: join(root, "pictures/2.png") };
    expect(await of([first, absolute])).toBe(hash);
  });

  it("changes with one bit of a picture, a caption, a label, a concept and the order of lines", async () => {
    const seen = [
      await of([first, second]),
      await of([{ ...first, caption: "One" }, second]),
      await of([{ ...first, labels: { class: "odd" } }, second]),
      await of([{ ...first, concept: "number" }, second]),
      await of([first, { ...second, captions: ["two zwei"] }]),
      await of([second, first]),
      await of([first, { ...second, image: "1.png" }]),
      await of([first, { ...second, image: "gone.png" }]),
    ];
    await flip("pictures/2.png");
    seen.push(await of([first, second]));
    expect(new Set(seen).size).toBe(9);
  });
});

describe("the fingerprint of the emoji", () => {
  const of = async (config: object = {}, set = tinyEmojiSet()): Promise<string> => {
    const dataset = createEmojiDataset(set, emojiSchema.parse(config));
    return (await dataset.fingerprint()).hash;
  };

  it("changes with part, split, families, captions and size", async () => {
    const seen = [
      await of(),
      await of({ part: "heldOutStyle" }),
      await of({ part: "heldOutConcepts" }),
      await of({ split: "tune" }),
      await of({ families: ["noto", "openmoji"], testFamily: "twemoji" }),
      await of({ mix: 0 }),
      await of({ captions: { name: 1, templated: 0 } }),
      await of({}, tinyEmojiSet(40, 5)),
      await of({}, tinyEmojiSet(39)),
    ];
    expect(new Set(seen).size).toBe(9);
    expect(await of()).toBe(seen[0]);
  });

  it("changes with one bit of a picture or one tag that the part has, and with no other", async () => {
    const plain = tinyEmojiSet();
    const one = { ...plain.concepts[9]!, tags: ["blue"] };
    const tagged = { ...plain, concepts: plain.concepts.with(9, one) };
    const spotted = {
      ...plain,
      picture: ((family, concept) => {
        const picture = plain.picture(family, concept);
        if (family === "fluent" && concept === 9) picture.data[3]! ^= 1;
        return picture;
      }) satisfies typeof plain.picture,
    };
    const test = { part: "heldOutStyle" };
    expect(await of({}, tagged)).not.toBe(await of());
    expect(await of(test, tagged)).toBe(await of(test));
    expect(await of(test, spotted)).not.toBe(await of(test));
    expect(await of({}, spotted)).toBe(await of());
  });
});

describe("hashFiles", () => {
  const paths = (): string[] => [join(root, "1.png"), join(root, "2.png"), join(root, "none.png")];
  const options = () => ({ root, cacheDir: join(root, "cache") });
  const memory = async (): Promise<string> => {
    const [file] = await readdir(join(root, "cache"));
    return join(root, "cache", file!);
  };
  beforeEach(async () => {
    for (const name of ["1.png", "2.png"]) {
      await putPicture(name, 10);
      await utimes(join(root, name), DAY, DAY);
    }
  });

  it("reads a file once while its size and times stay", async () => {
    const first = await hashFiles(paths(), options());
    expect(paths().map((path) => first.get(path)?.length)).toEqual([64, 64, undefined]);
    // What is remembered is what counts: here it is made to say something else.
    const kept = await readFile(await memory(), "utf8");
    expect(kept).not.toContain(root);
    const one = first.get(paths()[0]!)!;
    await writeFile(await memory(), kept.replaceAll(one, "remembered"));
    expect((await hashFiles(paths(), options())).get(paths()[0]!)).toBe("remembered");
    await utimes(join(root, "1.png"), DAY, new Date(DAY.getTime() + 1000));
    expect((await hashFiles(paths(), options())).get(paths()[0]!)).toBe(one);
  });

  it("remembers the files of two sets in one folder", async () => {
    const [one, two] = paths();
    await hashFiles([one!], options());
    await hashFiles([two!], options());
    const kept = JSON.parse(await readFile(await memory(), "utf8")) as { files: object };
    expect(Object.keys(kept.files).sort()).toEqual(["1.png", "2.png"]);
  });

  it("sees a change of content that keeps size and time of change", async () => {
    const first = await hashFiles(paths(), options());
    await flip("1.png");
    await utimes(join(root, "1.png"), DAY, DAY);
    const second = await hashFiles(paths(), options());
    expect(second.get(paths()[0]!)).not.toBe(first.get(paths()[0]!));
    expect(second.get(paths()[1]!)).toBe(first.get(paths()[1]!));
  });

  it("does not trust the times of a file that has only just changed", async () => {
    await flip("2.png");
    await hashFiles(paths(), options());
    const kept = JSON.parse(await readFile(await memory(), "utf8")) as { files: object };
    expect(Object.keys(kept.files)).toEqual(["1.png"]);
  });

  it("reads all again where its memory is damaged, and says how far it is", async () => {
    const expected = await hashFiles(paths(), options());
    await writeFile(await memory(), '{"format":1,"files":{"1.png":[1');
    const said: unknown[][] = [];
    const report = (...said_: unknown[]): unknown => said.push(said_);
    expect(await hashFiles(paths(), { ...options(), report })).toEqual(expected);
    expect(said).toEqual([["hashing pictures", 3, 3]]);
    said.length = 0;
    await hashFiles(paths(), { ...options(), report });
    expect(said).toEqual([]);
  });

  it("names the folder that it cannot write to, and stops when asked to", async () => {
    await writeFile(join(root, "file"), "no folder");
    await expect(hashFiles(paths(), { root, cacheDir: join(root, "file") })).rejects.toThrow(
      /data\/hashFiles: .*file/,
    );
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(hashFiles(paths(), { root, signal })).rejects.toThrow("enough");
  });
});

describe("a hash of records", () => {
  const hashOf = (...records: unknown[]): string => {
    const hash = createRecordHash();
    records.forEach((record) => hash.add(record));
    return hash.digest();
  };

  it("tells lists of records apart, and not the order of keys", () => {
    expect(hashOf({ a: 1, b: { d: [2], c: 3 } })).toBe(hashOf({ b: { c: 3, d: [2] }, a: 1 }));
    const lists = [hashOf("ab", "c"), hashOf("a", "bc"), hashOf(["ab", "c"]), hashOf('ab"\n"c')];
    expect(new Set(lists).size).toBe(4);
  });
});
