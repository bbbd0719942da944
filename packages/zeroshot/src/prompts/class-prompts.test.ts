import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHostTensor } from "@diptych/core";
import { embedPrompts } from "../class-weights.js";
import { classificationSchema } from "../classification-config.js";
import { classify } from "../classify.js";
import { fillPrompts, namesIn, readClassNames, readTemplates } from "./class-prompts.js";
import { loadImagenetPrompts } from "./imagenet.js";

let folder = "";
const put = (name: string, text: string | Uint8Array): Promise<void> =>
  writeFile(join(folder, name), text);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the shipped lists", () => {
  it("are OpenAI's, as the source has them", async () => {
    const file = await readFile(new URL("../../data/imagenet.json", import.meta.url));
    expect(createHash("sha256").update(file).digest("hex")).toBe(
      "0b1aaa8d39dce31bb81b638b462cce3ce422ae84cde7e94ce23018751befaacc",
    );
    const { classNames, templates80, templates7 } = loadImagenetPrompts();
    expect([classNames.length, templates80.length, templates7.length]).toEqual([1000, 80, 7]);
    expect([classNames[0], classNames[999]]).toEqual(["tench", "toilet paper"]);
  });
  it("come by name, and give the earlier of two equal names the answer", async () => {
    const names = (await readClassNames("imagenet", folder)) ?? [];
    const templates = await readTemplates("imagenet-7", folder);
    const { prompts, firstLike } = fillPrompts(names, templates);
    expect(prompts[0]?.[0]).toBe("itap of a tench.");
    const twice = firstLike.flatMap((first, i) => (first === i ? [] : [[first, i]]));
    expect(twice).toEqual([
      [657, 744],
      [836, 837],
    ]);
    const one = createHostTensor("float32", [2, 1], Float32Array.of(1, 1));
    const { ranks, guesses } = classify(one, one, [0, 1], { firstLike: [0, 0] });
    expect([ranks, guesses]).toEqual([
      [0, 1],
      [0, 0],
    ]);
  });
});

describe("files", () => {
  it("hold one a line, JSON lists, prompts by class, or such of several sets", async () => {
    await put("t.txt", "\uFEFFa {}.\r\n\r\n  the {c}  \n");
    await put("names.json", '["cat", "dog"]');
    await put("cupl.json", '{"cat": ["a cat with fur"], "dog": ["a dog", "a hound"]}');
    await put("sets.json", '{"pets": ["cat", "dog"], "cars": {"bmw": ["a BMW"]}}');
    expect(await readTemplates({ file: "t.txt" }, folder)).toEqual(["a {}.", "the {c}"]);
    expect(await readClassNames({ file: "names.json" }, folder)).toEqual(["cat", "dog"]);
    expect(await readClassNames({ file: "sets.json", key: "pets" }, folder)).toEqual([
      "cat",
      "dog",
    ]);
    const byClass = await readTemplates({ file: "cupl.json" }, folder);
    expect(namesIn(byClass)).toEqual(["cat", "dog"]);
    expect(fillPrompts(["dog"], byClass).prompts).toEqual([["a dog", "a hound"]]);
    expect(() => fillPrompts(["cow"], byClass)).toThrow(/expected prompts of class "cow"/);
    expect(() => fillPrompts(["constructor"], byClass)).toThrow(/class "constructor"/);
    expect(namesIn(await readTemplates({ file: "sets.json", key: "cars" }, folder))).toEqual([
      "bmw",
    ]);
  });

  it.each([
    ["missing", "none.txt", undefined, /none\.txt: expected a readable file, got ENOENT/],
    ["empty", "empty.txt", " \n", /expected at least one line, got an empty file/],
    ["without a place", "flat.txt", "a {}\na photo", /expected a place "\{\}".*got "a photo"/],
    ["broken JSON", "broken.json", '["a {}"', /broken\.json: expected JSON, got /],
    ["other JSON", "other.json", '{"a": 5}', /expected a list of texts, or \{ class: \[texts\] \}/],
    ["an empty list", "list.json", "[]", /expected a list of texts/],
    ["other bytes", "latin.txt", Uint8Array.of(0x61, 0xe9, 0x20), /expected UTF-8 text/],
  ])("that are wrong say how: %s", async (_, file, text, message) => {
    if (text !== undefined) await put(file, text);
    await expect(readTemplates({ file }, folder)).rejects.toThrow(message);
  });

  it("of names want each once, and no object", async () => {
    await put("twice.txt", "cat\ndog\ncat\n");
    await put("object.json", '{"pets": ["cat"]}');
    await expect(readClassNames({ file: "twice.txt" }, folder)).rejects.toThrow(
      /twice\.txt: expected each class name once, got "cat" twice/,
    );
    await expect(readClassNames({ file: "object.json" }, folder)).rejects.toThrow(
      /\{ file, key \}/,
    );
    await expect(readClassNames({ file: "object.json", key: "cars" }, folder)).rejects.toThrow(
      /expected the key "cars", got pets/,
    );
  });
});

describe("configurations", () => {
  it.each([
    [{ templates: [] }, /templates/],
    [{ templates: {} }, /expected prompts of at least one class/],
    [{ templates: { cat: [] } }, /templates/],
    [{ templates: "a photo of a {}" }, /expected a list of templates such as/],
    [{ templates: ["a {}", "a photo"] }, /expected a place \\"\{\}\\".*got \\"a photo\\"/],
    [{ classNames: [] }, />=1 items/],
    [{ classNames: ["cat", "dog", "cat"] }, /got \\"cat\\" twice/],
    [{ classNames: "cifar" }, /expected a list of names.*imagenet/],
    [{ topK: [5] }, /expected 1 among topK/],
  ])("%j is refused", (config, message) => {
    const parsed = classificationSchema.safeParse(config);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(message);
  });
});

it("an ensemble is normalise, mean, normalise", async () => {
  const vectors: Readonly<Record<string, readonly number[]>> = {
    a: [3, 0, 4],
    b: [0, 0.5, 0],
    c: [1, 1, 1],
  };
  const texts = (all: readonly string[]) =>
    Promise.resolve(
      createHostTensor(
        "float32",
        [all.length, 3],
        Float32Array.from(all.flatMap((text) => vectors[text] ?? [])),
      ),
    );
  const weights = await embedPrompts([["a", "b"], ["c", "a", "a"], ["b"]], {
    encode: { texts },
    batchSize: 2,
  });
  const unit = (v: readonly number[]): number[] => v.map((x) => x / Math.hypot(...v));
  const mean = (...all: number[][]): number[] =>
    unit([0, 1, 2].map((i) => all.reduce((sum, v) => sum + (v[i] ?? 0), 0) / all.length));
  const [a, b, c] = ["a", "b", "c"].map((name) => unit(vectors[name] ?? []));
  const expected = [mean(a!, b!), mean(c!, a!, a!), b!].flat();
  weights.data.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-7));
});
