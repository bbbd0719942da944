import { createRandom, type Sample } from "@diptych/core";
import { describe, expect, it } from "vitest";
import { captionsOf } from "./captions.js";
import { emoji, emojiSchema, type EmojiConfig } from "./config.js";
import { createEmojiDataset, type EmojiDataset } from "./emoji-dataset.js";
import { tinyEmojiSet } from "./emoji.test-support.js";

const set = tinyEmojiSet();
const config = (changes: Partial<EmojiConfig> = {}): EmojiConfig => ({
  ...emojiSchema.parse({}),
  ...changes,
});
const sampleOf = (dataset: EmojiDataset, index: number, seed = 0, images = 2): Sample =>
  dataset.sample(index, { random: createRandom(seed), images }) as Sample;

describe("the training part", () => {
  const dataset = createEmojiDataset(set, config({ mix: 0 }));

  it("has the concepts that are not held out", () => {
    // Buckets 0, 5 and 10 of 0, 5, … 95 are held out.
    expect(dataset.size).toBe(34);
    expect(dataset.names).not.toContain("thing 2");
    expect(dataset.names[0]).toBe("thing 3");
    expect(dataset.candidates).toHaveLength(40);
  });

  it("gives pictures of one concept by different families", () => {
    for (let i = 0; i < dataset.size; i++) {
      const sample = sampleOf(dataset, i, i, 3);
      const concept = dataset.conceptIndices[i];
      expect(sample.images.map(({ data }) => data[0])).toEqual([concept, concept, concept]);
      const greens = sample.images.map(({ data }) => data[1]);
      expect([...greens].sort()).toEqual([0, 120, 60]);
      expect(sample.concept).toBe(dataset.conceptOf(i));
    }
  });

  it("replays from the same seed and differs for another", () => {
    const mixed = createEmojiDataset(set, config());
    const draws = (seed: number): Sample[] =>
      Array.from({ length: mixed.size }, (_, i) => sampleOf(mixed, i, seed + i));
    expect(draws(1)).toEqual(draws(1));
    expect(draws(1)).not.toEqual(draws(1000));
  });

  it("mixes a share of the pictures with another family's, its own part being the larger", () => {
    const families: EmojiConfig["families"] = ["noto", "twemoji"];
    const mixed = createEmojiDataset(set, config({ mix: 0.3, families }));
    let changed = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const sample = sampleOf(mixed, 5, seed, 1);
      const green = sample.images[0]?.data[1] ?? 0;
      const own = sample.labels?.["family"] === "noto" ? 0 : 60;
      if (green !== own) changed += 1;
      expect(Math.abs(green - own)).toBeLessThanOrEqual(30);
    }
    // 300 ± 3.5 standard deviations; weights that round to nothing are rare.
    expect(changed).toBeGreaterThan(240);
    expect(changed).toBeLessThan(355);
  });

  it("draws captions by the configured shares, each with the name", () => {
    const counts = { name: 0, templated: 0, tags: 0 };
    for (let seed = 0; seed < 2000; seed++) {
      const caption = sampleOf(dataset, 4, seed, 1).captions[0] ?? "";
      expect(caption).toContain("thing 7");
      if (caption === "thing 7") counts.name += 1;
      else if (/^(an emoji|a picture) of thing 7/.test(caption)) counts.templated += 1;
      else counts.tags += 1;
    }
    expect(counts.name / 2000).toBeCloseTo(0.5, 1);
    expect(counts.templated / 2000).toBeCloseTo(0.2, 1);
    expect(counts.tags / 2000).toBeCloseTo(0.3, 1);
  });

  it("lists captions with every word that it draws, and no word of a concept held out", () => {
    const words = (texts: Iterable<string>): Set<string> =>
      new Set([...texts].flatMap((text) => text.split(/[ ,]+/)));
    const listed = words(dataset.captions());
    for (let seed = 0; seed < 500; seed++) {
      const { captions } = sampleOf(dataset, seed % dataset.size, seed, 1);
      for (const word of words(captions)) expect(listed).toContain(word);
    }
    expect(listed).not.toContain("2");
  });

  it("uses the name where there are no tags", () => {
    const bare = set.concepts[0];
    expect([...captionsOf(bare as NonNullable<typeof bare>)]).toEqual([
      "thing 0",
      "an emoji of thing 0",
      "a picture of thing 0",
    ]);
  });
});

describe("the test parts", () => {
  it("show trained concepts, or those held out, in Fluent's style", () => {
    const style = createEmojiDataset(set, config({ part: "heldOutStyle" }));
    const concepts = createEmojiDataset(set, config({ part: "heldOutConcepts" }));
    expect([style.size, concepts.size]).toEqual([34, 6]);
    expect(concepts.names).toEqual([
      "thing 0",
      "thing 1",
      "thing 2",
      "thing 20",
      "thing 21",
      "thing 22",
    ]);
    const sample = sampleOf(style, 0);
    expect(sample.images[0]?.data[1]).toBe(180);
    expect(sample.captions).toEqual(["thing 3"]);
    expect(sample.labels).toMatchObject({ name: "thing 3", subgroup: "tool", family: "fluent" });
  });

  it("keep Fluent and the final concepts unseen while tuning", () => {
    const train = createEmojiDataset(set, config({ split: "tune" }));
    const test = createEmojiDataset(set, config({ split: "tune", part: "heldOutConcepts" }));
    expect(test.families).toEqual(["noto", "twemoji", "openmoji"]);
    expect(test.names).toEqual(["thing 3", "thing 23"]);
    expect(test.size).toBe(6);
    expect(Array.from({ length: 6 }, (_, i) => sampleOf(test, i).images[0]?.data[1])).toEqual([
      0, 0, 60, 60, 120, 120,
    ]);
    expect(train.names.some((name) => ["thing 0", "thing 3"].includes(name))).toBe(false);
    expect(() => createEmojiDataset(set, config({ split: "tune", part: "heldOutStyle" }))).toThrow(
      /testFamily: expected a family that is not trained on.*got none for split "tune"/,
    );
  });

  it("say when a part is empty or an index is beyond it", () => {
    const few = tinyEmojiSet(3);
    expect(() => createEmojiDataset(few, config())).toThrow(/train: expected concepts, got none/);
    const dataset = createEmojiDataset(set, config());
    expect(() => sampleOf(dataset, 34)).toThrow(/expected an integer from 0 to 33, got 34/);
  });
});

describe("the configuration", () => {
  const problems = (value: unknown): string =>
    emojiSchema
      .safeParse(value)
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)
      .join("\n") ?? "";

  it("is strict and explains what does not fit", () => {
    expect(problems({ mixx: 0.3 })).toMatch(/mixx/);
    expect(problems({ families: ["noto", "fluent"] })).toMatch(/testFamily: .*got "fluent"/);
    expect(problems({ split: "tune", part: "heldOutStyle" })).toMatch(
      /testFamily: expected a family/,
    );
    expect(problems({ split: "style", part: "heldOutConcepts" })).toMatch(/part: expected split/);
    expect(problems({ captions: { name: 0.9, templated: 0.2 } })).toMatch(/at most 1/);
    expect(problems({ split: "tune" })).toBe("");
    expect(emoji({ part: "heldOutStyle" })).toEqual({ type: "emoji", part: "heldOutStyle" });
  });
});
