import { beforeAll, describe, expect, it } from "vitest";
import { normalizeHexcode } from "./code-points.js";
import { loadConcepts, type EmojiConcept } from "./concepts.js";
import { findEmojiPackages } from "./packages.js";
import { bucketOf, membershipOf, rootOf } from "./splits.js";

describe("roots", () => {
  it("leaves persons and what follows a colon out", () => {
    expect(rootOf("man cook")).toBe("cook");
    expect(rootOf("woman cook")).toBe("cook");
    expect(rootOf("person walking: facing right")).toBe("walking");
    expect(rootOf("keycap: 7")).toBe("keycap");
    expect(rootOf("woman’s boot")).toBe("boot");
    expect(rootOf("red apple")).toBe("red apple");
    expect(rootOf("woman")).toBe("woman");
    expect(rootOf("man: bald")).toBe("man: bald");
    expect(rootOf("human manatee")).toBe("human manatee");
  });

  it("gives a root's bucket from its md5", () => {
    // int(hashlib.md5(b"cook").hexdigest(), 16) % 100 in Python.
    expect(bucketOf("cook")).toBe(81);
  });

  it("holds out below 15, and tunes on 15 to 19", () => {
    expect([0, 14, 15, 19, 20, 99].map((b) => membershipOf(b, "final"))).toEqual([
      "heldOut",
      "heldOut",
      "train",
      "train",
      "train",
      "train",
    ]);
    expect([0, 14, 15, 19, 20, 99].map((b) => membershipOf(b, "tune"))).toEqual([
      "unused",
      "unused",
      "heldOut",
      "heldOut",
      "train",
      "train",
    ]);
  });
});

describe("code points", () => {
  it("have one spelling", () => {
    expect(normalizeHexcode("0023-FE0F-20E3")).toBe("23-20e3");
    expect(normalizeHexcode("1F468-200D-1F373")).toBe("1f468-200d-1f373");
  });
});

describe("the concepts of the installed packages", () => {
  let concepts: readonly EmojiConcept[];
  beforeAll(async () => {
    const drawn = await loadConcepts(await findEmojiPackages(process.cwd()));
    concepts = drawn.map(({ concept }) => concept);
  });

  it("are 1,586 with distinct names in 8 groups and 94 subgroups", () => {
    expect(concepts).toHaveLength(1586);
    expect(new Set(concepts.map(({ name }) => name)).size).toBe(1586);
    expect(new Set(concepts.map(({ subgroup }) => subgroup)).size).toBe(94);
    const groups: Record<string, number> = {};
    for (const { group } of concepts) groups[group] = (groups[group] ?? 0) + 1;
    expect(groups).toEqual({
      "smileys-emotion": 168,
      "people-body": 342,
      "animals-nature": 158,
      "food-drink": 130,
      "travel-places": 218,
      activities: 85,
      objects: 262,
      symbols: 223,
    });
  });

  it("have 1,415 roots; 224 concepts are held out, 1,362 are trained", () => {
    expect(new Set(concepts.map(({ root }) => root)).size).toBe(1415);
    const count = (split: "final" | "tune", wanted: string): number =>
      concepts.filter(({ bucket }) => membershipOf(bucket, split) === wanted).length;
    expect([count("final", "heldOut"), count("final", "train")]).toEqual([224, 1362]);
    expect([count("tune", "unused"), count("tune", "heldOut"), count("tune", "train")]).toEqual([
      224, 88, 1274,
    ]);
  });

  it("never split a root", () => {
    const sides = new Map<string, Set<string>>();
    for (const { root, bucket } of concepts) {
      sides.set(root, (sides.get(root) ?? new Set()).add(membershipOf(bucket, "final")));
    }
    expect([...sides.values()].every((side) => side.size === 1)).toBe(true);
  });

  it("have tags without their own name and without underscores", () => {
    const octopus = concepts.find(({ name }) => name === "octopus");
    expect(octopus).toMatchObject({ emoji: "🐙", group: "animals-nature" });
    expect(octopus?.tags.length).toBeGreaterThan(3);
    for (const { name, tags } of concepts) {
      expect(tags).not.toContain(name);
      expect(new Set(tags).size).toBe(tags.length);
      expect(tags.some((tag) => tag.includes("_"))).toBe(false);
    }
    const mean = concepts.reduce((sum, { tags }) => sum + tags.length, 0) / concepts.length;
    expect(mean).toBeGreaterThan(8);
  });
});
