/** k nearest neighbours: the classes of the nearest training pictures vote. */
import {
  DataError,
  type Evaluation,
  type EvaluationContext,
  type Evaluator,
  type ItemExample,
} from "@diptych/core";
import { SHOWN, spreadEvenly } from "../examples.js";
import { describeLearned } from "../learned/learned-results.js";
import { embedLearningData, type LearningData } from "../learned/learning-data.js";
import type { KnnConfig } from "./knn-config.js";
import { findNearest, type Neighbours } from "./nearest.js";

/** Neighbours by cosine in `trainDataset`, answers for `dataset`. */
export function createKnn(config: KnnConfig): Evaluator {
  return Object.freeze({
    name: "knn",
    mainMetric: `top${config.topK[0] ?? 1}`,
    evaluate: (context: EvaluationContext) => evaluate(context, config),
  } satisfies Evaluator);
}

async function evaluate(context: EvaluationContext, config: KnnConfig): Promise<Evaluation> {
  const { label, k, topK, examples } = config;
  const data = await embedLearningData(context, { evaluator: "knn", label, normalize: true });
  const { train, test, classNames } = data;
  if (k > train.targets.length) {
    throw new DataError(
      `zeroshot/knn: k: expected at most the ${train.targets.length} pictures to learn from, got ${k}. Lower k.`,
    );
  }
  const { compute, signal, report, dataset, trainDataset } = context;
  const before = dataset.size + (trainDataset?.size ?? 0);
  const neighbours = await findNearest(test.features, train.features, {
    compute,
    k,
    signal,
    report: report && ((done, total) => report(before + done, before + total)),
  });
  const scores = neighbours.map((found) =>
    voteScores(found, train.targets, { ...config, classes: classNames.length }),
  );
  const found = describeLearned(data, scores, { topK, examples, notes: [] });
  return Object.freeze({
    ...found,
    examples: [...(found.examples ?? []), ...pickNeighbours(data, neighbours, examples)],
  });
}

/** Distance between equal votes, so that the class of the first name wins them, as in scikit-learn. */
const TIE = 1e-9;

/**
 * log of each class's share of the votes: of each neighbour exp(cosine / temperature), or 1; −∞ for a class without one.
 *
 * @param targets Class of each candidate.
 */
export function voteScores(
  { candidates, scores }: Neighbours,
  targets: readonly number[],
  {
    classes,
    weights,
    temperature,
  }: Pick<KnnConfig, "weights" | "temperature"> & { classes: number },
): Float64Array {
  const votes = new Float64Array(classes);
  const nearest = scores[0] ?? 0;
  candidates.forEach((candidate, i) => {
    const target = targets[candidate] ?? -1;
    // Over the nearest one's weight, which changes no share and cannot overflow.
    const weight =
      weights === "uniform" ? 1 : Math.exp(((scores[i] ?? NaN) - nearest) / temperature);
    votes[target] = (votes[target] ?? 0) + weight;
  });
  const total = votes.reduce((sum, vote) => sum + vote, 0);
  return votes.map((vote, label) => Math.log(vote / total) - TIE * label);
}

/** Some pictures, spread evenly over the set, with the training pictures nearest to them. */
function pickNeighbours(
  { train, test, classNames }: LearningData,
  neighbours: readonly Neighbours[],
  examples: number,
): readonly ItemExample[] {
  return spreadEvenly(neighbours.length, Math.ceil(examples / 3)).map((row) => {
    const { candidates, scores } = neighbours[row] ?? { candidates: [], scores: [] };
    return Object.freeze({
      kind: "neighbours",
      id: test.ids[row] ?? "",
      sample: test.positions[row] ?? 0,
      expected: classNames[test.targets[row] ?? -1] ?? "",
      // By name: positions are those of the set that is answered for.
      answers: candidates.slice(0, SHOWN).map((candidate, j) => ({
        text: `${classNames[train.targets[candidate] ?? -1] ?? ""} (${train.ids[candidate] ?? ""})`,
        score: scores[j] ?? NaN,
        right: train.targets[candidate] === test.targets[row],
      })),
    } satisfies ItemExample);
  });
}
