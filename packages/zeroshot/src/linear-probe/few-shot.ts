/** Few shots: the linear probe on k samples of each class, over several draws of them. */
import {
  DataError,
  type Evaluation,
  type EvaluationContext,
  type Evaluator,
  type Metric,
} from "@diptych/core";
import { drawShots } from "../learned/draw-rows.js";
import { rowsAt } from "../learned/learned-rows.js";
import { embedLearningData, type LearningData } from "../learned/learning-data.js";
import { meanInterval } from "../learned/mean-interval.js";
import { rankOfBest } from "../ranking.js";
import { eachLogisticScore } from "./fit-logistic.js";
import type { FewShotConfig } from "./linear-probe-config.js";
import { fitRows } from "./linear-probe.js";

/**
 * `<k>-shot/top1`: mean over the draws; `…/top1Low` and `…/top1High`: its 95 % interval by Student's t, over draws and not
 * over pictures. Draws of more shots hold those of fewer.
 */
export function createFewShot(config: FewShotConfig): Evaluator {
  return Object.freeze({
    name: "few-shot",
    mainMetric: `${Math.max(...config.shots)}-shot/top1`,
    evaluate: (context: EvaluationContext) => evaluate(context, config),
  } satisfies Evaluator);
}

async function evaluate(context: EvaluationContext, config: FewShotConfig): Promise<Evaluation> {
  const { label, normalize, shots, seeds } = config;
  const { random } = context;
  const data = await embedLearningData(context, { evaluator: "few-shot", label, normalize });
  const notes = [...data.notes];
  const metrics: Record<string, Metric> = {};
  const values: Record<string, readonly number[]> = {};
  const { targets, ids } = data.test;
  for (const count of shots) {
    const means = new Float64Array(targets.length);
    const accuracies: number[] = [];
    let short = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const drawn = drawShots(data.train.targets, count, random.split("shots").split(seed));
      const right = await answersOf(context, data, { config, rows: drawn.rows });
      short = drawn.short.length;
      right.forEach((hit, i) => (means[i] = (means[i] ?? 0) + hit / seeds));
      accuracies.push(right.reduce((total, hit) => total + hit, 0) / right.length);
    }
    const { mean, low, high } = meanInterval(accuracies);
    const metric = (value: number): Metric => ({
      value,
      queries: targets.length,
      candidates: data.classNames.length,
    });
    metrics[`${count}-shot/top1`] = metric(mean);
    if (seeds > 1) {
      metrics[`${count}-shot/top1Low`] = metric(low);
      metrics[`${count}-shot/top1High`] = metric(high);
    }
    values[`${count}-shot/top1`] = [...means];
    if (short > 0) {
      notes.push(
        `${count} shots: ${short} of ${data.classNames.length} classes have fewer pictures to learn from, and give all they have.`,
      );
    }
  }
  return Object.freeze({ metrics, items: { ids, values }, notes });
}

/** 1 for each test row that the draw's fit answers right. */
async function answersOf(
  context: EvaluationContext,
  { train, test, classNames }: LearningData,
  { config, rows }: { config: FewShotConfig; rows: readonly number[] },
): Promise<readonly number[]> {
  const { compute, signal } = context;
  if (rows.length === 0) {
    throw new DataError("zeroshot/few-shot: trainDataset: expected samples, got none.");
  }
  const { C, maxIterations } = config;
  const model = await fitRows(context, rowsAt(train, rows), { C, maxIterations });
  const right: number[] = [];
  const asked = { compute, signal, features: test.features, classes: classNames.length };
  await eachLogisticScore(model, asked, (scores, row) => {
    right.push(rankOfBest(scores, new Set([test.targets[row] ?? -1])) === 0 ? 1 : 0);
  });
  return right;
}
