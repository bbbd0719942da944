import { createRandom, type HostTensor } from "@diptych/core";
import { expect, it } from "vitest";
import { createSearch, decodeRows, explainMatch, normaliseText } from "../../page/search.js";
import { createSearch as createSource } from "./comparison.test-support.js";
import { buildSearchIndex, quantiseRows, type ReportSearch } from "./search-index.js";

async function search(): Promise<ReturnType<typeof createSearch>> {
  return createSearch((await buildSearchIndex(createSource(), { bytes: 1e6 })).index);
}

function randomRows(rows: number, dims: number): HostTensor<"float32"> {
  const data = new Float32Array(rows * dims);
  createRandom(7).fillNormal(data);
  return { dtype: "float32", shape: [rows, dims], data };
}

it("keeps directions within what 8 bits can hold", () => {
  const tensor = randomRows(20, 64);
  const decoded = decodeRows(quantiseRows(tensor, [...Array(20).keys()]));
  decoded.forEach((row, i) => {
    const original = tensor.data.subarray(64 * i, 64 * (i + 1));
    const length = Math.hypot(...original);
    const cosine = row.reduce((sum, value, d) => sum + (value * original[d]!) / length, 0);
    // Rounding is off by (largest / 127)² / 12 in the mean square: about 3e-5 of what a row of normals holds.
    expect(cosine / Math.hypot(...row)).toBeGreaterThan(0.9999);
    expect(Math.hypot(...row)).toBeCloseTo(1, 2);
  });
});

it("ranks as exact embeddings do", () => {
  const images = randomRows(50, 64);
  const texts = randomRows(5, 64);
  const names = [0, 1, 2, 3, 4].map((i) => `phrase ${i}`);
  const index = {
    words: "listed",
    phrases: names,
    texts: quantiseRows(texts, [0, 1, 2, 3, 4]),
    images: quantiseRows(images, [...Array(50).keys()]),
    pictures: [],
  } as const;
  const rowsOf = (tensor: HostTensor<"float32">, i: number): readonly number[] => {
    const row = [...tensor.data.subarray(64 * i, 64 * (i + 1))];
    return row.map((value) => value / Math.hypot(...row));
  };
  names.forEach((name, t) => {
    const query = rowsOf(texts, t);
    const exact = [...Array(50).keys()].map((i) =>
      rowsOf(images, i).reduce((sum, value, d) => sum + value * query[d]!, 0),
    );
    const { found, how } = createSearch(index).find(name, 50);
    expect(how).toBe("phrase");
    expect(found).toHaveLength(50);
    for (const { picture, similarity } of found)
      expect(Math.abs(similarity - exact[picture]!)).toBeLessThan(0.01);
    expect(exact[found[0]!.picture]).toBeCloseTo(Math.max(...exact), 2);
  });
});

it("takes the longest known phrases, whatever case and punctuation", async () => {
  const { find } = await search();
  expect(find("  RED  Circle! ", 1)).toMatchObject({
    how: "phrase",
    used: ["red circle"],
    unknown: [],
  });
  expect(find("circle red", 1)).toMatchObject({ how: "parts", used: ["circle", "red"] });
  expect(find("something round and red", 1)).toMatchObject({
    used: ["something round", "red"],
    unknown: ["and"],
  });
});

it("searches with the mean of the parts", async () => {
  const { find } = await search();
  const whole = find("red circle", 10).found.map(({ picture }) => picture);
  const parts = find("circle, red", 10).found.map(({ picture }) => picture);
  expect(parts).toEqual(whole);
  expect(whole.every((picture) => picture < 10)).toBe(true);
});

it("finds nothing for what it does not know", async () => {
  const { find } = await search();
  expect(find("wombat", 5)).toEqual({ how: "nothing", used: [], unknown: ["wombat"], found: [] });
  expect(find("", 5)).toEqual({ how: "nothing", used: [], unknown: [], found: [] });
});

it("suggests what goes on from the text, and from its last word", async () => {
  const { suggest } = await search();
  expect(suggest("red c", 2)).toEqual(["red cross", "red circle"]);
  expect(suggest("a vio", 2)).toEqual(["violet", "violet cross"]);
  expect(suggest("", 3)).toEqual([]);
});

it("says how it understood the text", async () => {
  const { find } = await search();
  const say = (text: string, words: "mean" | "listed"): string =>
    explainMatch(find(text, 1), words);
  expect(say("red circle", "listed")).toBe("“red circle” as the model embeds it.");
  expect(say("circle red", "mean")).toContain("comes near to what this bag-of-words model");
  expect(say("circle red", "listed")).toContain("is not what this model would say");
  expect(say("my red circle", "listed")).toContain("Not known here: “my”");
  expect(say("wombat", "mean")).toContain("no embedding for “wombat”");
});

it("normalises letters of any script", () => {
  expect(normaliseText("  Ünïcode — 日本  ")).toBe("ünïcode 日本");
});

it("leaves out what has no room, and says how much", async () => {
  const { index, left } = await buildSearchIndex(createSource(), { bytes: 20_000 });
  expect(index.pictures.length + left.pictures).toBe(240);
  expect(left.pictures).toBeGreaterThan(200);
  expect(JSON.stringify(index).length).toBeLessThan(25_000);
  expect(new Set(index.pictures.map(({ name }) => name)).size).toBe(index.pictures.length);
});

it("refuses embeddings that are not one a picture or phrase", async () => {
  const source = createSource();
  const fewer: ReportSearch = { ...source, pictures: source.pictures.slice(1) };
  await expect(buildSearchIndex(fewer, { bytes: 1e6 })).rejects.toThrow(
    "search.imageEmbeddings: expected [239, 10]",
  );
  await expect(
    buildSearchIndex(
      { ...source, pictures: [], imageEmbeddings: { ...source.imageEmbeddings, shape: [0, 10] } },
      { bytes: 1e6 },
    ),
  ).rejects.toThrow("search.imageEmbeddings");
});
