import { describe, expect, test } from "vitest";
import type { PairedTest } from "./comparison.js";
import { conclude, type ConclusionInput } from "./conclude.js";

const decided: PairedTest = {
  method: "sigmoid",
  baseline: "info-nce",
  task: "emoji-style",
  metric: "top1",
  difference: 0.018,
  interval: { low: 0.004, high: 0.032, level: 0.95, over: "seeds and items" },
  seeds: [0, 1, 2, 3, 4],
  pSeeds: 0.02,
  pSeedsExact: 0.0625,
  pItems: 0.001,
  p: 0.0101,
  pCorrected: 0.0101,
  verdict: "better",
};

const mean = (method: string, value: number): ConclusionInput["means"][number] => ({
  method,
  task: "emoji-style",
  metric: "top1",
  mean: value,
  interval: null,
  values: [value],
});

const input: ConclusionInput = {
  baseline: "info-nce",
  methods: ["info-nce", "sigmoid"],
  seeds: [0, 1, 2, 3, 4],
  budget: { kind: "samples", amount: 200_000 },
  means: [mean("info-nce", 0.6), mean("sigmoid", 0.618)],
  tests: [decided],
  incomparable: [],
  failures: [],
};

const first = (change: Partial<PairedTest>, other: Partial<ConclusionInput> = {}): string =>
  conclude({ ...input, tests: [{ ...decided, ...change }], ...other })[0]!;

describe("conclude", () => {
  test("begins with the answer and ends with what may not be concluded", () => {
    expect(conclude(input)).toEqual([
      "On emoji-style, sigmoid is 1.8 points better than info-nce (top1; 95 % interval 0.4 to 3.2; 5 seeds; p = 0.01).",
      "With 5 seeds a test without assumptions cannot fall below p = 0.0625; the verdicts rest on a t test, which takes the seeds' differences for about normal.",
      "It holds for items like those of emoji-style, for models trained on this data with 200,000 pictures seen each; nothing is said of other data, budgets or sizes of model.",
      "Each method ran with the settings of its own configuration: where one was tuned on these test items, or with more care than the other, the difference is that of the tuning too.",
      "Equal samples are not equal cost: see the operations and seconds of each.",
    ]);
  });

  test("says of what is undecided how far either way it may be", () => {
    const interval = { low: -0.012, high: 0.02, level: 0.95 };
    const undecided = { difference: 0.004, interval, p: 0.4, pCorrected: 0.4, pItems: 0.4 };
    expect(first({ ...undecided, verdict: "undecided" })).toBe(
      "On emoji-style, sigmoid and info-nce cannot be told apart: sigmoid minus info-nce is 0.4 points in top1 (95 % interval −1.2 to 2.0; 5 seeds; p = 0.40).",
    );
  });

  test("tells a difference of the trained models from one of the methods", () => {
    expect(first({ verdict: "undecided", p: 0.2, pCorrected: 0.2, pItems: 0.001 })).toContain(
      "; these trained models do differ on the test items (p = 0.001), but 5 seeds do not show that others would.",
    );
  });

  test("tells what counts alone and not among many", () => {
    expect(first({ verdict: "undecided", p: 0.03, pCorrected: 0.12 })).toContain(
      "alone it would count (p = 0.03), among this many tests it does not",
    );
  });

  test("a metric that is no share keeps its unit", () => {
    const means = [mean("info-nce", 12), mean("sigmoid", 10)];
    const change = { difference: -2, verdict: "better", interval: null } as const;
    expect(first(change, { means })).toContain("sigmoid is 2.000 better than info-nce");
  });

  test.each([
    ["seconds", "A budget of seconds is one of this machine"],
    ["flops", "Equal operations are not equal time"],
  ] as const)("warns of a budget of %s", (kind, warning) => {
    expect(conclude({ ...input, budget: { kind, amount: 100 } }).at(-1)).toContain(warning);
  });

  test("warns of few seeds, and not of many", () => {
    const of = (seeds: readonly number[]): string =>
      conclude({ ...input, seeds, tests: [{ ...decided, seeds }] }).join(" ");
    expect(of([0, 1, 2])).toContain("3 seeds tell little");
    expect(of([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).not.toMatch(/tell little|cannot fall below/);
  });

  test("nothing where no method has a result", () => {
    expect(conclude({ ...input, tests: [], means: [] })[0]).toBe(
      "Nothing was compared: no method has a result.",
    );
  });
});
