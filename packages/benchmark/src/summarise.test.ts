import { createRandom } from "@diptych/core";
import { describe, expect, test } from "vitest";
import type { Budget, MethodRun } from "./comparison.js";
import type { BenchmarkRow, Provenance } from "./record.js";
import { summarise, type SummariseOptions } from "./summarise.js";

const budget: Budget = { kind: "samples", amount: 6400 };

const provenance = (seed: number): Provenance => ({
  code: { diptych: "0.1.0", node: "v20.20.0", commit: null, dirty: null },
  config: null,
  weights: "d".repeat(64),
  trainData: { name: "train", config: {}, size: 8000, fingerprint: "b".repeat(64), note: "" },
  testData: { name: "emoji", config: {}, size: 400, fingerprint: "a".repeat(64), note: "" },
  preprocessing: {},
  precision: "fp32",
  backend: "reference",
  seed,
  training: { steps: 100, samples: 6400, flops: 1e12, seconds: 60, batchSize: 64, parameters: 1 },
  date: "2026-01-01T00:00:00.000Z",
});

interface Drawn {
  readonly accuracy: number;
  readonly seedSpread?: number;
  readonly items?: number;
  readonly task?: string;
  readonly change?: Partial<Provenance>;
}

/** A row whose items are right with the given chance, the same items being hard for all. */
function row(method: string, seed: number, drawn: Drawn): BenchmarkRow {
  const { accuracy, seedSpread = 0.01, items = 400, task = "emoji-style", change = {} } = drawn;
  const random = createRandom(`${method} ${seed} ${task}`);
  const difficulty = createRandom(task);
  const shift = seedSpread * random.normal();
  const values = Array.from({ length: items }, () =>
    0.7 * difficulty.next() + 0.3 * random.next() < accuracy + shift ? 1 : 0,
  );
  const value = values.reduce((sum: number, one) => sum + one, 0) / Math.max(1, items);
  return {
    method,
    task,
    evaluator: "zeroshot-classification",
    mainMetric: "top1",
    evaluation: {
      metrics: {
        top1: { value: items === 0 ? accuracy + shift : value, queries: items, candidates: 10 },
      },
      ...(items > 0
        ? { items: { ids: values.map((_, i) => `item-${i}`), values: { top1: values } } }
        : {}),
    },
    provenance: { ...provenance(seed), ...change },
  };
}

function runs(
  methods: Readonly<Record<string, Drawn | readonly Drawn[]>>,
  seeds: readonly number[],
): readonly MethodRun[] {
  return Object.entries(methods).flatMap(([method, drawn]) =>
    seeds.map((seed) => ({
      method,
      seed,
      rows: [drawn].flat().map((one) => row(method, seed, one)),
      failed: [],
      curve: [],
      folder: `${method}-${seed}`,
    })),
  );
}

const asked = (methods: readonly string[], seeds: readonly number[]): SummariseOptions => ({
  baseline: methods[0]!,
  methods,
  seeds,
  budget,
});

const FIVE = [0, 1, 2, 3, 4];

describe("summarise", () => {
  test("a clear difference is the answer, with size, interval, seeds and p", () => {
    const all = runs({ "info-nce": { accuracy: 0.6 }, sigmoid: { accuracy: 0.7 } }, FIVE);
    const { means, tests, conclusion } = summarise(all, asked(["info-nce", "sigmoid"], FIVE));
    expect(means.map(({ method, values }) => [method, values.length])).toEqual([
      ["info-nce", 5],
      ["sigmoid", 5],
    ]);
    const [only] = tests;
    expect(only).toMatchObject({ verdict: "better", seeds: FIVE, pSeedsExact: 0.0625 });
    expect(only!.interval!.low).toBeGreaterThan(0);
    expect(only!.interval!.over).toBe("seeds and items");
    expect(only!.pCorrected).toBe(only!.p);
    expect(conclusion[0]).toMatch(
      /^On emoji-style, sigmoid is \d+\.\d points better than info-nce \(top1; 95 % interval \d+\.\d to \d+\.\d; 5 seeds; p (?:=|<) [\d.]+\)\.$/,
    );
    expect(conclusion.join(" ")).toContain("cannot fall below p = 0.0625");
    expect(conclusion.join(" ")).toContain("6,400 pictures seen each");
  });

  test("gives the same answer again, whatever the order of the runs", () => {
    const all = runs({ a: { accuracy: 0.6 }, b: { accuracy: 0.65 } }, FIVE);
    const options = asked(["a", "b"], FIVE);
    expect(summarise([...all].reverse(), options)).toStrictEqual(summarise(all, options));
  });

  test("what seeds move as far as the difference cannot be told apart", () => {
    const spread = { seedSpread: 0.08 };
    const all = runs({ a: { accuracy: 0.6, ...spread }, b: { accuracy: 0.61, ...spread } }, FIVE);
    const { tests, conclusion } = summarise(all, asked(["a", "b"], FIVE));
    expect(tests[0]!.verdict).toBe("undecided");
    expect(tests[0]!.interval!.low).toBeLessThan(0);
    expect(conclusion[0]).toMatch(/^On emoji-style, b and a cannot be told apart: b minus a is/);
  });

  test("worse is said as plainly", () => {
    const all = runs({ a: { accuracy: 0.7 }, b: { accuracy: 0.6 } }, FIVE);
    const { tests, conclusion } = summarise(all, asked(["a", "b"], FIVE));
    expect(tests[0]!.verdict).toBe("worse");
    expect(conclusion[0]).toMatch(/b is \d+\.\d points worse than a/);
  });

  test("one seed speaks of items and of these models only", () => {
    const all = runs({ a: { accuracy: 0.6 }, b: { accuracy: 0.7 } }, [7]);
    const { means, tests, conclusion } = summarise(all, asked(["a", "b"], [7]));
    expect(means[0]!.interval!.over).toBe("items");
    expect(tests[0]).toMatchObject({ pSeeds: null, pSeedsExact: null, verdict: "better" });
    expect(conclusion[0]).toContain("this model of b");
    expect(conclusion[0]).toContain("interval over items alone");
    expect(conclusion.join(" ")).toContain("another seed may turn the order round");
  });

  test("one seed without outcomes by item has neither interval nor test", () => {
    const all = runs({ a: { accuracy: 0.6, items: 0 }, b: { accuracy: 0.7, items: 0 } }, [7]);
    const { means, tests, conclusion } = summarise(all, asked(["a", "b"], [7]));
    expect(means[0]!.interval).toBeNull();
    expect(tests[0]).toMatchObject({
      interval: null,
      p: null,
      pCorrected: null,
      verdict: "undecided",
    });
    expect(conclusion[0]).toContain("has no test");
  });

  test("without outcomes by item the seeds are what there is", () => {
    const all = runs({ a: { accuracy: 0.6, items: 0 }, b: { accuracy: 0.7, items: 0 } }, FIVE);
    const { tests, conclusion } = summarise(all, asked(["a", "b"], FIVE));
    expect(tests[0]!.interval!.over).toBe("seeds");
    expect(tests[0]!.p).toBe(tests[0]!.pSeeds);
    expect(tests[0]!.pItems).toBeNull();
    expect(conclusion.join(" ")).toContain("gave no outcomes by item");
  });

  test("several tests are corrected together and summed up first", () => {
    const tasks = (accuracy: number): readonly Drawn[] =>
      ["one", "two"].map((task) => ({ task, accuracy }));
    const all = runs({ a: tasks(0.6), b: tasks(0.72), c: tasks(0.6) }, FIVE);
    const { tests, conclusion } = summarise(all, asked(["a", "b", "c"], FIVE));
    expect(tests).toHaveLength(4);
    for (const one of tests) expect(one.pCorrected!).toBeGreaterThanOrEqual(one.p!);
    expect(conclusion[0]).toBe(
      "Compared with a, b is better on one and two and c is not told apart on one and two.",
    );
    expect(conclusion[1]).toContain("after correction for 4 tests");
  });

  test("rows that may not be compared are not tested, and the reason is given", () => {
    const other = { change: { precision: "fp16" } };
    const all = runs({ a: { accuracy: 0.6 }, b: { accuracy: 0.7, ...other } }, FIVE);
    const options = asked(["a", "b"], FIVE);
    const { tests, incomparable, conclusion, means } = summarise(all, options);
    expect(tests).toEqual([]);
    expect(means).toHaveLength(2);
    expect(incomparable).toEqual([
      {
        method: "b",
        baseline: "a",
        task: "emoji-style",
        reasons: ["They ran in fp32 and in fp16."],
        severity: "refused",
      },
    ]);
    expect(conclusion.slice(0, 2)).toEqual([
      "Nothing may be concluded: what was measured may not be compared with a.",
      "b and a may not be compared on emoji-style. They ran in fp32 and in fp16.",
    ]);
    expect(summarise(all, { ...options, vary: ["precision"] }).tests).toHaveLength(1);
  });

  test("what cannot be told is tested and marked", () => {
    const all = runs(
      { a: { accuracy: 0.6 }, b: { accuracy: 0.7, change: { trainData: null } } },
      FIVE,
    );
    const { tests, incomparable, conclusion } = summarise(all, asked(["a", "b"], FIVE));
    expect(tests).toHaveLength(1);
    expect(incomparable[0]!.severity).toBe("marked");
    expect(conclusion.join(" ")).toContain("may be compared on emoji-style is not certain");
  });

  test("a method that failed under some seeds is judged by the others, which is said", () => {
    const all = runs({ a: { accuracy: 0.6 }, b: { accuracy: 0.7 } }, FIVE).map((run) =>
      run.method === "b" && run.seed > 2
        ? {
            ...run,
            rows: [],
            failed: [{ method: "b", task: "emoji-style", reason: "the loss was not finite" }],
          }
        : run,
    );
    const { tests, means, conclusion } = summarise(all, asked(["a", "b"], FIVE));
    expect(tests[0]!.seeds).toEqual([0, 1, 2]);
    expect(means.find(({ method }) => method === "b")!.values.slice(3)).toEqual([null, null]);
    expect(conclusion).toContain(
      "b has no result on emoji-style under seeds 3 and 4: the loss was not finite.",
    );
    expect(conclusion.join(" ")).toContain("which may flatter");
  });

  test("a baseline alone", () => {
    const all = runs({ a: { accuracy: 0.6 } }, FIVE);
    expect(summarise(all, asked(["a"], FIVE)).conclusion).toEqual([
      "Nothing was compared: a ran alone.",
    ]);
  });

  test("items are matched by id, and rows of other items by seed alone", () => {
    const all = runs({ a: { accuracy: 0.6 }, b: { accuracy: 0.7 } }, FIVE);
    const turned = (rename: (id: string) => string): readonly MethodRun[] =>
      all.map((run) => ({
        ...run,
        rows: run.rows.map((one) => {
          if (run.method === "a") return one;
          const { ids, values } = one.evaluation.items!;
          const items = {
            ids: [...ids].reverse().map(rename),
            values: { top1: [...values.top1!].reverse() },
          };
          return { ...one, evaluation: { ...one.evaluation, items } };
        }),
      }));
    const options = asked(["a", "b"], FIVE);
    const plain = summarise(all, options).tests[0]!;
    expect(
      summarise(
        turned((id) => id),
        options,
      ).tests[0]!.p,
    ).toBeCloseTo(plain.p!, 10);
    expect(
      summarise(
        turned((id) => `other-${id}`),
        options,
      ).tests[0]!.pItems,
    ).toBeNull();
  });

  test.each<[string, Partial<SummariseOptions>, RegExp]>([
    ["no seeds", { seeds: [] }, /seeds: expected at least one, got none/],
    ["a seed twice", { seeds: [1, 1] }, /each once/],
    ["an unknown baseline", { baseline: "c" }, /expected one of a, b, got "c"/],
    ["a level", { level: 95 }, /between 0 and 1, got 95/],
  ])("refuses %s", (_, change, message) => {
    expect(() => summarise([], { ...asked(["a", "b"], FIVE), ...change })).toThrow(message);
  });
});
