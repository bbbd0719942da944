import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createCompute } from "@diptych/core/backend";
import { createReferenceBackend } from "@diptych/core/reference";
import { rows } from "../toy-model.test-support.js";
import { recallAt } from "../metrics.js";
import { rankPairs } from "./rank-pairs.js";
import { meanRank, medianRank } from "./retrieval-metrics.js";

type Numbers = Readonly<Record<string, number>>;
type Vectors = readonly (readonly (number | null)[])[];

interface RetrievalCase {
  readonly name: string;
  readonly images: Vectors;
  readonly texts: Vectors;
  readonly imageOf: readonly number[];
  readonly tied: boolean;
  readonly clipBenchmark: Numbers;
  readonly tiesAgainst: Numbers;
  readonly openClip?: Numbers;
}

const goldens = JSON.parse(
  readFileSync(new URL("../../fixtures/retrieval.json", import.meta.url), "utf8"),
) as { readonly cases: readonly RetrievalCase[] };

const compute = createCompute(createReferenceBackend());
const tensor = (vectors: Vectors) =>
  rows(...vectors.map((row) => row.map((value) => value ?? NaN)));

async function measure({ images, texts, imageOf }: RetrievalCase) {
  const ranks = await rankPairs(
    { embeddings: tensor(images), concepts: images.map((_, i) => String(i)) },
    { embeddings: tensor(texts), concepts: imageOf.map(String) },
    { compute, decide: "ranks", blocks: { rows: 8, columns: 4, slices: 2 } },
  );
  const ways = {
    imageToText: { ranks: ranks.a, candidates: texts.length },
    textToImage: { ranks: ranks.b, candidates: images.length },
  };
  return (name: string): number => {
    const [way = "", metric = ""] = name.split("/");
    const { ranks: all, candidates } = ways[way as keyof typeof ways];
    if (metric === "meanRank") return meanRank(all, candidates).value;
    if (metric === "medianRank") return medianRank(all, candidates).value;
    return recallAt(all, Number(metric.slice("recall@".length)), candidates).value;
  };
}

describe("retrieval equals CLIP_benchmark and open_clip", () => {
  it.each(goldens.cases)("$name", async (golden) => {
    const found = await measure(golden);
    for (const [name, value] of Object.entries(golden.tiesAgainst)) {
      expect(found(name), name).toBeCloseTo(value, 12);
      const theirs = golden.clipBenchmark[name] ?? NaN;
      // Where nothing ties there is one answer; where something does, a sort may be kinder than we are.
      if (!golden.tied) expect(found(name), name).toBeCloseTo(theirs, 12);
      else expect(found(name), name).toBeLessThanOrEqual(theirs);
    }
    for (const [name, value] of Object.entries(golden.openClip ?? {})) {
      if (!golden.tied) expect(found(name), name).toBeCloseTo(value, 12);
      else if (name.includes("recall")) expect(found(name), name).toBeLessThanOrEqual(value);
      else expect(found(name), name).toBeGreaterThanOrEqual(value);
    }
  });
});
