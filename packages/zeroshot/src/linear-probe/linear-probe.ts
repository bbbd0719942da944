/** The linear probe: logistic regression on a frozen model's features (CLIP, arXiv:2103.00020, §3.2 and A.3). */
import type { Evaluation, EvaluationContext, Evaluator } from "@diptych/core";
import { splitRows } from "../learned/draw-rows.js";
import { describeLearned } from "../learned/learned-results.js";
import { rowsAt, type LearnedRows } from "../learned/learned-rows.js";
import { embedLearningData } from "../learned/learning-data.js";
import { rankOfBest } from "../ranking.js";
import {
  createLogisticFitter,
  eachLogisticScore,
  type LogisticFitOptions,
  type LogisticModel,
} from "./fit-logistic.js";
import type { LinearProbeConfig } from "./linear-probe-config.js";
import { STEPS_PER_DECADE, sweepStrength } from "./sweep-strength.js";

/** Learns from `trainDataset`, answers for `dataset`. */
export function createLinearProbe(config: LinearProbeConfig): Evaluator {
  return Object.freeze({
    name: "linear-probe",
    mainMetric: `top${config.topK[0] ?? 1}`,
    evaluate: (context: EvaluationContext) => evaluate(context, config),
  } satisfies Evaluator);
}

async function evaluate(
  context: EvaluationContext,
  config: LinearProbeConfig,
): Promise<Evaluation> {
  const { label, normalize, topK, examples, maxIterations } = config;
  const data = await embedLearningData(context, { evaluator: "linear-probe", label, normalize });
  const notes: string[] = [];
  let { C } = config;
  if (C === "sweep") {
    const swept = await sweep(context, data.train, config);
    notes.push(swept.note);
    C = swept.C;
  }
  const model = await fitRows(context, data.train, { C, maxIterations });
  const scores: Float64Array[] = [];
  const { compute, signal } = context;
  const asked = { compute, signal, features: data.test.features, classes: data.classNames.length };
  await eachLogisticScore(model, asked, (row) => scores.push(row));
  notes.push(...noteOnEnd(model));
  return describeLearned(data, scores, { topK, examples, notes });
}

/** One fit on all of the rows. */
export async function fitRows(
  { compute, signal }: EvaluationContext,
  { features, targets }: LearnedRows,
  options: LogisticFitOptions,
): Promise<LogisticModel> {
  const fitter = await createLogisticFitter({ compute, features, labels: targets, signal });
  try {
    return await fitter.fit({ ...options, signal });
  } finally {
    await fitter.dispose();
  }
}

/** The C whose fit on a part of the rows is right most often on the others. */
async function sweep(
  context: EvaluationContext,
  train: LearnedRows,
  { validationShare, maxIterations }: LinearProbeConfig,
): Promise<{ readonly C: number; readonly note: string }> {
  const { compute, signal, random } = context;
  const { kept, apart } = splitRows(train.targets, validationShare, random.split("validation"));
  const [learn, held] = [rowsAt(train, kept), rowsAt(train, apart)];
  const classes = 1 + train.targets.reduce((most, target) => Math.max(most, target), 0);
  const { features, targets: labels } = learn;
  const fitter = await createLogisticFitter({ compute, features, labels, signal });
  try {
    const { best, tried } = await sweepStrength(async (C) => {
      const model = await fitter.fit({ C, maxIterations, signal });
      let right = 0;
      const asked = { compute, signal, features: held.features, classes };
      await eachLogisticScore(model, asked, (scores, row) => {
        if (rankOfBest(scores, new Set([held.targets[row] ?? -1])) === 0) right += 1;
      });
      return right / apart.length;
    });
    return {
      C: best.C,
      note: `C = ${best.C.toPrecision(4)} was found by a sweep of ${tried.length} values, ${STEPS_PER_DECADE} a decade, on ${apart.length} of ${train.targets.length} pictures set apart (${best.accuracy.toFixed(4)} of them right); the fit is on all.`,
    };
  } finally {
    await fitter.dispose();
  }
}

function noteOnEnd({ reason, iterations }: LogisticModel): readonly string[] {
  if (reason !== "iterations") return [];
  return [
    `The fit ended after ${iterations} iterations without having converged; maxIterations allows more.`,
  ];
}
