import { describe, expect, it } from "vitest";
import { createHostTensor, createRandom, type Sample, type Compute } from "@diptych/core";
import { createCompute } from "@diptych/core/backend";
import { createReferenceBackend } from "@diptych/core/reference";
import { rankOfBest, similarities } from "../ranking.js";
import { rows, toySample, toyContext } from "../toy-model.test-support.js";
import type { RetrievalSide } from "./pairs.js";
import { rankPairs } from "./rank-pairs.js";
import { createRetrieval } from "./retrieval.js";
import { retrievalSchema, type RetrievalConfig } from "./retrieval-config.js";

const compute = createCompute(createReferenceBackend());
const random = createRandom(3);

function drawSide(name: string, count: number, { width = 6, groups = 5 } = {}): RetrievalSide {
  const stream = random.split(name);
  const values = Array.from({ length: count }, () => {
    // Few levels, so that scores tie often.
    const row = Array.from({ length: width }, () => stream.integer(3) - 1);
    const length = Math.hypot(...row) || 1;
    return row.map((value) => value / length);
  });
  return {
    embeddings: rows(...values),
    concepts: values.map(() => String(stream.integer(groups))),
  };
}

/** The definition, pair by pair. */
function bruteRanks(queries: RetrievalSide, candidates: RetrievalSide): number[] {
  return queries.concepts.map((concept, row) => {
    const positives = candidates.concepts.flatMap((other, i) => (other === concept ? [i] : []));
    if (positives.length === 0) return NaN;
    return rankOfBest(
      similarities(queries.embeddings, row, candidates.embeddings),
      new Set(positives),
    );
  });
}

describe("ranks of pairs", () => {
  it.each([
    ["one block", 9, 14, { rows: 512, columns: 512, slices: 16 }],
    ["many blocks, the last ones filled up", 23, 37, { rows: 5, columns: 4, slices: 3 }],
    ["a single row", 1, 7, { rows: 4, columns: 2, slices: 2 }],
  ])("are those of the definition: %s", async (name, n, m, blocks) => {
    const [a, b] = [drawSide(`${name} a`, n), drawSide(`${name} b`, m)];
    for (const decide of ["ranks", [1, 3]] as const) {
      const found = await rankPairs(a, b, { compute, decide, blocks });
      const hits = (ranks: ArrayLike<number>) => Array.from(ranks, (rank) => [rank < 1, rank < 3]);
      const [left, right] = [bruteRanks(a, b), bruteRanks(b, a)];
      if (decide === "ranks") {
        expect([...found.a]).toEqual(left);
        expect([...found.b]).toEqual(right);
      } else {
        expect(hits(found.a)).toEqual(hits(left));
        expect(hits(found.b)).toEqual(hits(right));
      }
    }
  });

  it("are decided in float64 where float32 cannot tell", async () => {
    // 1 + 2⁻³⁰ in two parts: equal to 1 in float32, more than it in float64.
    const queries = { embeddings: rows([1, 1], [1, 1]), concepts: ["q", "r"] };
    const candidates = {
      embeddings: rows([1, 0], [1, 2 ** -30], [0.5, 0]),
      concepts: ["q", "r", "x"],
    };
    const found = await rankPairs(queries, candidates, { compute, decide: [1] });
    expect([...found.a]).toEqual([1, 0]);
  });

  it.each([
    ["narrow", (value: number) => Math.round(value * 256) / 256],
    ["off in the last bits", (value: number) => value * (1 + 2 ** -22)],
  ])("do not rest on the backend's rounding: %s", async (_, round) => {
    // A backend whose products are not those of float32, within what it may be.
    const rough: Compute = {
      compile: async (graph, options) => {
        const computation = await compute.compile(graph, options);
        return {
          ...computation,
          run: (feeds) =>
            computation.run(
              Object.fromEntries(
                Object.entries(feeds).map(([key, tensor]) => [
                  key,
                  /^(rows|queries|x)$/.test(key)
                    ? createHostTensor(
                        "float32",
                        tensor.shape,
                        Float32Array.from(tensor.data, (value) => round(value)),
                      )
                    : tensor,
                ]),
              ),
            ),
        };
      },
    };
    const [a, b] = [drawSide("rough a", 17, { width: 9 }), drawSide("rough b", 21, { width: 9 })];
    const blocks = { rows: 6, columns: 5, slices: 2 };
    const found = await rankPairs(a, b, { compute: rough, decide: "ranks", blocks });
    expect([...found.a]).toEqual(bruteRanks(a, b));
    expect([...found.b]).toEqual(bruteRanks(b, a));
  });

  it("counts what is not finite against the query", async () => {
    const a = { embeddings: rows([1, 0], [NaN, 0], [0, 1]), concepts: ["p", "q", "r"] };
    const b = {
      embeddings: rows([1, 0], [0, 1], [Infinity, 0], [0, 0]),
      concepts: ["p", "q", "r", "-"],
    };
    const found = await rankPairs(a, b, { compute, decide: "ranks" });
    // The first finds its own behind the broken candidate; the others have nothing to compare.
    expect([...found.a]).toEqual([1, 4, 4]);
    expect([...found.b]).toEqual([1, 3, 3, NaN]);
  });

  it("finds nothing where all are broken, and takes vectors of any length", async () => {
    const broken = { embeddings: rows([NaN, 1], [NaN, 1]), concepts: ["p", "q"] };
    expect([...(await rankPairs(broken, broken, { compute, decide: [1] })).a]).toEqual([2, 2]);
    const long = { embeddings: rows([3e38, 0], [0, 3e38]), concepts: ["p", "q"] };
    expect([...(await rankPairs(long, long, { compute, decide: [1] })).a]).toEqual([0, 0]);
  });

  it("ends by a signal between blocks, and says how far it is", async () => {
    const controller = new AbortController();
    const [a, b] = [drawSide("s a", 12), drawSide("s b", 12)];
    const seen: string[] = [];
    const asked = rankPairs(a, b, {
      compute,
      decide: [1],
      blocks: { rows: 3, columns: 2, slices: 2 },
      signal: controller.signal,
      report: (done, total) => {
        seen.push(`${done}/${total}`);
        if (done === 2) controller.abort(new Error("enough"));
      },
    });
    await expect(asked).rejects.toThrow("enough");
    expect(seen).toEqual(["1/12", "2/12"]);
  });

  it("wants one concept a row and equal widths", async () => {
    const one = { embeddings: rows([1, 0]), concepts: ["p"] };
    const wide = { embeddings: rows([1, 0, 0]), concepts: ["p"] };
    const options = { compute, decide: [1] };
    await expect(rankPairs(one, wide, options)).rejects.toThrow(/one of both sides, got 2 and 3/);
    await expect(rankPairs(one, { ...one, concepts: [] }, options)).rejects.toThrow(
      /one for each of 1 rows, got 0/,
    );
  });
});

const evaluator = (config: Partial<RetrievalConfig> = {}) =>
  createRetrieval(retrievalSchema.parse({ recallK: [1], ...config }));

const named = (id: string, pixel: number, caption: string, concept?: string): Sample => ({
  ...toySample(id, pixel, {}),
  captions: [caption],
  ...(concept === undefined ? {} : { concept }),
});
const SET = [
  named("a", 0, "a cat", "cat"),
  named("b", 1, "a dog", "dog"),
  named("c", 2, "a cup", "cup"),
  named("d", 0, "a car", "car"),
];

describe("retrieval", () => {
  it("goes both ways over a set, item by item", async () => {
    const { metrics, items, examples } = await evaluator().evaluate(toyContext(SET));
    // Two pictures look like a cat: the tie counts against the caption; nothing looks like a car.
    expect(metrics["imageToText/recall@1"]).toEqual({ value: 0.75, queries: 4, candidates: 4 });
    expect(metrics["textToImage/recall@1"]?.value).toBe(0.5);
    expect(metrics["meanRecall@1"]?.value).toBe(0.625);
    expect(items?.ids.slice(0, 5)).toEqual([
      "picture a",
      "picture b",
      "picture c",
      "picture d",
      "caption a",
    ]);
    const none = [NaN, NaN, NaN, NaN];
    expect(items?.values["imageToText/recall@1"]).toEqual([1, 1, 1, 0, ...none, ...none]);
    expect(items?.values["textToImage/recall@1"]).toEqual([...none, 0, 1, 1, 0, ...none]);
    expect(items?.ids.slice(8)).toEqual(["sample a", "sample b", "sample c", "sample d"]);
    expect(items?.values["meanRecall@1"]).toEqual([...none, ...none, 0.5, 1, 1, 0]);
    expect(examples?.[0]).toMatchObject({
      kind: "mistake",
      id: "picture d",
      sample: 3,
      expected: "a car",
    });
    expect(examples?.[0]?.answers[0]).toMatchObject({ text: "a cat", score: 1, right: false });
    expect(examples?.some(({ kind, text }) => kind === "mistake" && text === "a car")).toBe(true);
  });

  it("says item by item what the mean of both recalls is the mean of, at the least k asked for", async () => {
    const more = [
      { ...named("a", 0, "a cat"), captions: ["a cat", "a cat asleep", "a dog", "nothing"] },
      ...SET.slice(1),
      { ...named("e", 3, ""), captions: [] },
    ];
    const { metrics, items } = await evaluator({ recallK: [5, 2] }).evaluate(toyContext(more));
    expect(Object.keys(items?.values ?? {})).toEqual([
      "imageToText/recall@2",
      "textToImage/recall@2",
      "meanRecall@2",
    ]);
    for (const [metric, values] of Object.entries(items?.values ?? {})) {
      const known = values.filter((value) => !Number.isNaN(value));
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      expect(mean).toBeCloseTo(metrics[metric]?.value ?? NaN, 12);
      expect(new Set(known).size).toBeGreaterThan(1);
    }
    // The picture without a caption is no query.
    expect(items?.values["meanRecall@2"]?.slice(-5).map(Number.isNaN)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it("takes concepts together, or each sample alone", async () => {
    const twice = [named("a", 0, "a cat", "cat"), named("b", 0, "cat", "cat")];
    const together = await evaluator().evaluate(toyContext(twice));
    expect(together.metrics["imageToText/recall@1"]?.value).toBe(1);
    const alone = await evaluator({ positives: "sample" }).evaluate(toyContext(twice));
    expect(alone.metrics["imageToText/recall@1"]?.value).toBe(0);
  });

  it("takes all captions of a sample, and each once", async () => {
    const all = ["a cat", "cat, sitting", "the cat"];
    const context = toyContext(SET);
    const asked: (number | undefined)[] = [];
    const dataset = {
      ...context.dataset,
      size: 2,
      sample: (index: number, { captions = 1 }: { captions?: number }) => {
        asked.push(captions);
        const sample = SET[index] as Sample;
        // As datasets do: again from the start where more are asked for than there are.
        const texts = index === 0 ? all : sample.captions;
        return {
          ...sample,
          captions: Array.from({ length: captions }, (_, i) => texts[i % texts.length] ?? ""),
        };
      },
    };
    const { metrics, items } = await evaluator({ captionsPerSample: "all" }).evaluate({
      ...context,
      dataset,
    });
    expect(context.seen.texts).toEqual([...all, "a dog"]);
    expect(metrics["textToImage/recall@1"]?.queries).toBe(4);
    expect(items?.ids).toContain("caption a (3)");
    expect(Math.min(...asked.map((n) => n ?? 1))).toBeGreaterThan(10);
  });

  it("pairs by position as open_clip does, with ranks", async () => {
    const { metrics } = await evaluator({ protocol: "open-clip" }).evaluate(toyContext(SET));
    // Ranks from 0, pictures: 0 0 0 3 (a car scores 0 as all but the cat do); captions: 1 0 0 3.
    expect(metrics["imageToText/meanRank"]?.value).toBe(1.75);
    expect(metrics["imageToText/medianRank"]?.value).toBe(1);
    expect(metrics["textToImage/meanRank"]?.value).toBe(2);
    expect(metrics["textToImage/medianRank"]?.value).toBe(1);
    const mute = [...SET, { ...named("e", 0, ""), captions: [] }];
    await expect(evaluator({ protocol: "open-clip" }).evaluate(toyContext(mute))).rejects.toThrow(
      /sample e of toy: expected a picture and a caption/,
    );
  });

  it("leaves queries without a positive out, and says so", async () => {
    const mute = [...SET, { ...named("e", 3, ""), captions: [] }];
    const { metrics, notes } = await evaluator().evaluate(toyContext(mute));
    expect(metrics["imageToText/recall@1"]?.queries).toBe(4);
    expect(notes).toEqual(["imageToText: 1 of 5 queries have no positive and are left out."]);
    const silent = SET.map((sample) => ({ ...sample, captions: [] }));
    await expect(evaluator().evaluate(toyContext(silent))).rejects.toThrow(
      /expected pictures and captions, got 4 and 0/,
    );
  });
});
