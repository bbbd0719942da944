import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { averagePrecision } from "./average-precision.js";
import { classOutcomes } from "./class-outcomes.js";
import { createSingleAnswers, singleMetrics } from "./classify.js";
import { groupMetrics } from "./group-metrics.js";
import { multiLabelPrecisions } from "./multi-label.js";

interface SingleCase {
  readonly name: string;
  readonly scores: readonly number[][];
  readonly targets: readonly number[];
  readonly scale: number;
  readonly bins: number;
  readonly tied: boolean;
  readonly tiesAgainst: Readonly<Record<string, number>>;
  readonly accuracy: Readonly<Record<string, number>>;
  readonly balancedAccuracy: number;
  readonly confusion: readonly number[][];
  readonly calibrationError: number;
  readonly groups?: readonly string[];
  readonly worst?: number;
}

interface MultiCase {
  readonly name: string;
  readonly scores: readonly number[][];
  readonly targets: readonly number[][];
  readonly tied: boolean;
  readonly averagePrecision: readonly (number | null)[];
  readonly meanAveragePrecision: number;
  readonly clipBenchmark: readonly number[];
  readonly labelRanking: number;
}

const goldens = JSON.parse(
  readFileSync(new URL("../fixtures/metrics.json", import.meta.url), "utf8"),
) as { readonly single: readonly SingleCase[]; readonly multi: readonly MultiCase[] };

function answersOf({ scores, targets, scale }: SingleCase) {
  const answering = createSingleAnswers({ scale });
  scores.forEach((row, i) => {
    answering.add(Float64Array.from(row), targets[i] ?? -1);
  });
  return answering.all();
}

describe("classification equals scikit-learn and CLIP_benchmark", () => {
  it.each(goldens.single)("$name", (golden) => {
    const candidates = golden.scores[0]?.length ?? 0;
    const answers = answersOf(golden);
    const topK = Object.keys(golden.tiesAgainst).map((name) => Number(name.slice(3)));
    const options = { candidates, topK, bins: golden.bins };
    const metrics = singleMetrics(answers, options);
    for (const k of topK) {
      const { value } = metrics[`top${k}`] ?? { value: NaN };
      expect(value).toBeCloseTo(golden.tiesAgainst[`top${k}`] ?? NaN, 12);
      // Where nothing ties there is one answer; where the originals take the first of equal ones, they are never lower.
      if (!golden.tied) expect(value).toBeCloseTo(golden.accuracy[`top${k}`] ?? NaN, 12);
      else expect(value).toBeLessThanOrEqual(golden.accuracy[`top${k}`] ?? NaN);
    }
    expect(metrics["calibrationError"]?.value).toBeCloseTo(golden.calibrationError, 12);
    if (golden.tied) return;
    expect(metrics["meanPerClassRecall"]?.value).toBeCloseTo(golden.balancedAccuracy, 12);
    const right = answers.ranks.map((rank) => (rank === 0 ? 1 : 0));
    const classNames = Array.from({ length: candidates }, (_, i) => `c${i}`);
    const matrix = classNames.map(() => classNames.map(() => 0));
    const { confusion = [] } = classOutcomes({ ...answers, classNames, right });
    for (const [target, guess, count] of confusion) (matrix[target] ?? [])[guess] = count;
    expect(matrix).toEqual(golden.confusion);
  });

  it.each(goldens.single.filter(({ groups }) => groups))("worst group: $name", (golden) => {
    const answers = answersOf(golden);
    const candidates = golden.scores[0]?.length ?? 0;
    const { worst } = groupMetrics({
      groups: { part: golden.groups ?? [] },
      measure: (items) => singleMetrics(answers, { candidates }, items),
      mainMetric: "top1",
    });
    expect(worst["worstGroup/part/top1"]?.value).toBeCloseTo(golden.worst ?? NaN, 12);
  });
});

describe("several labels equal scikit-learn, and CLIP_benchmark where nothing ties", () => {
  it.each(goldens.multi)("$name", (golden) => {
    const answers = {
      scores: golden.scores.map((row) => Float64Array.from(row)),
      targets: golden.targets.map((all) => new Set(all)),
      candidates: golden.scores[0]?.length ?? 0,
    };
    golden.averagePrecision.forEach((expected, candidate) => {
      const value = averagePrecision(
        Float64Array.from(golden.scores, (row) => row[candidate] ?? NaN),
        answers.targets.map((all) => all.has(candidate)),
      );
      if (expected === null) expect(value).toBeNaN();
      else expect(value).toBeCloseTo(expected, 12);
      // CLIP_benchmark adds in float32, and gives 0 to a class without items.
      if (!golden.tied) expect(value || 0).toBeCloseTo(golden.clipBenchmark[candidate] ?? NaN, 6);
    });
    const { metrics } = multiLabelPrecisions(answers);
    expect(metrics["meanAveragePrecision"]?.value).toBeCloseTo(golden.meanAveragePrecision, 12);
    expect(metrics["labelRankingPrecision"]?.value).toBeCloseTo(golden.labelRanking, 12);
  });
});
