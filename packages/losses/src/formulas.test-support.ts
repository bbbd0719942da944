// The losses' formulas as plain loops over numbers, and a comparison of a built loss with one, in value and gradient.
import type { Loss } from "@diptych/core";
import { expect } from "vitest";
import { dot, runLoss, type LossCase } from "./losses.test-support.js";
import type { Duplicates } from "./similarity.js";

/** A batch of images and texts. */
export interface Batch extends LossCase {
  readonly features: { readonly image: number[][]; readonly text: number[][] };
  readonly logitScale: number;
}

export type Formula = (batch: Batch) => number;

/** One outcome of a softmax. */
export interface Outcome {
  readonly logit: number;
  readonly positive: boolean;
}

const average = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

const numbersOf = (
  { features, ...batch }: Batch,
  kind: "samples" | "items",
  modality: "image" | "text",
): readonly number[] => batch[kind]?.[modality] ?? features[modality].map((_, i) => i);

/** Each image against each text: the pairs that are compared, `undefined` those that are not. */
export function outcomes(
  batch: Batch,
  { duplicates = "positives", bias = 0 }: { duplicates?: Duplicates; bias?: number } = {},
): (Outcome | undefined)[][] {
  const same = (kind: "samples" | "items", i: number, j: number): boolean =>
    numbersOf(batch, kind, "image")[i] === numbersOf(batch, kind, "text")[j];
  return batch.features.image.map((image, i) =>
    batch.features.text.map((text, j) => {
      const logit = Math.exp(batch.logitScale) * dot(image, text) + bias;
      if (duplicates === "positives") return { logit, positive: same("samples", i, j) };
      const own = same("items", i, j);
      if (duplicates === "masked" && !own && same("samples", i, j)) return undefined;
      return { logit, positive: own };
    }),
  );
}

const transposed = <T>(rows: readonly (readonly T[])[]): T[][] =>
  rows[0]!.map((_, j) => rows.map((row) => row[j]!));

export const present = <T>(values: readonly (T | undefined)[]): T[] =>
  values.filter((value) => value !== undefined);

/** The mean over rows for which there is a value, 0 without any. */
const meanOfPresent = (values: readonly (number | undefined)[]): number =>
  present(values).length === 0 ? 0 : average(present(values));

/** The mean of images over texts and of texts over images. */
function bothWays(
  matrix: (Outcome | undefined)[][],
  oneRow: (row: readonly Outcome[]) => number | undefined,
): number {
  const way = (rows: (Outcome | undefined)[][]): number =>
    meanOfPresent(rows.map((row) => oneRow(present(row))));
  return (way(matrix) + way(transposed(matrix))) / 2;
}

const logSumExp = (values: readonly number[]): number => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((total, value) => total + Math.exp(value - top), 0));
};

/** −Σ targetᵢ·log softmax(logits)ᵢ. */
const crossEntropy = (logits: readonly number[], targets: readonly number[]): number =>
  logits.reduce((total, logit, i) => total - targets[i]! * (logit - logSumExp(logits)), 0);

export interface InfoNceFormula {
  readonly positives?: "together" | "apart";
  readonly duplicates?: Duplicates;
  readonly smoothing?: number;
  readonly noneOfThese?: boolean;
}

export const infoNceFormula =
  ({ positives = "together", duplicates, smoothing = 0, noneOfThese }: InfoNceFormula): Formula =>
  (batch) => {
    const bias = noneOfThese ? batch.logitBias! : 0;
    const matrix = outcomes(batch, { ...(duplicates ? { duplicates } : {}), bias });
    const smooth = (target: number, among: number): number =>
      (1 - smoothing) * target + smoothing / among;
    return bothWays(matrix, (pairs) => {
      const none: Outcome = { logit: 0, positive: !pairs.some(({ positive }) => positive) };
      const row = noneOfThese ? [...pairs, none] : pairs;
      const chosen = row.filter(({ positive }) => positive);
      const others = row.filter(({ positive }) => !positive).map(({ logit }) => logit);
      if (chosen.length === 0) return undefined;
      if (positives === "together") {
        return crossEntropy(
          row.map(({ logit }) => logit),
          row.map(({ positive }) => smooth(positive ? 1 / chosen.length : 0, row.length)),
        );
      }
      return average(
        chosen.map(({ logit }) => {
          const targets = [1, ...others.map(() => 0)];
          return crossEntropy(
            [logit, ...others],
            targets.map((target) => smooth(target, targets.length)),
          );
        }),
      );
    });
  };

export const sigmoidFormula =
  (duplicates: Duplicates = "positives"): Formula =>
  (batch) => {
    let total = 0;
    for (const row of outcomes(batch, { duplicates, bias: batch.logitBias! }))
      for (const { logit, positive } of present(row))
        total += Math.log1p(Math.exp(positive ? -logit : logit));
    return total / batch.features.image.length;
  };

export interface HardNegativesFormula {
  readonly duplicates?: Duplicates;
  readonly beta: number;
  readonly tauPlus: number;
  readonly alpha: number;
}

/** What the correction leaves of a positive's negatives, and the least that it may leave. */
export function correctedNegatives(
  { positive, others }: { readonly positive: number; readonly others: readonly number[] },
  { beta, tauPlus }: HardNegativesFormula,
  logitScale: number,
): { readonly corrected: number; readonly least: number } {
  const importances = others.map((other) => other ** beta);
  const weighted = others.reduce((total, other, i) => total + importances[i]! * other, 0);
  const reweighted = others.length === 0 ? 0 : weighted / average(importances);
  return {
    corrected: (reweighted - tauPlus * others.length * positive) / (1 - tauPlus),
    least: others.length * Math.exp(-Math.exp(logitScale)),
  };
}

export const hardNegativesFormula =
  (terms: HardNegativesFormula): Formula =>
  (batch) =>
    bothWays(outcomes(batch, { duplicates: terms.duplicates ?? "positives" }), (row) => {
      const chosen = row.filter(({ positive }) => positive);
      const others = row.filter(({ positive }) => !positive).map(({ logit }) => Math.exp(logit));
      if (chosen.length === 0) return undefined;
      return average(
        chosen.map(({ logit }) => {
          const positive = Math.exp(logit);
          const left = correctedNegatives({ positive, others }, terms, batch.logitScale);
          const against = Math.max(left.corrected, left.least);
          return -Math.log(positive / (terms.alpha * positive + against));
        }),
      );
    });

export const supervisedContrastiveFormula =
  (temperature: number): Formula =>
  (batch) => {
    const { image } = batch.features;
    const numbers = numbersOf(batch, "samples", "image");
    const rows = image.map((anchor, i) => {
      const others = image.flatMap((_, j) => (j === i ? [] : [j]));
      const same = others.map((j) => numbers[j] === numbers[i]);
      const positives = same.filter(Boolean).length;
      if (positives === 0) return undefined;
      return crossEntropy(
        others.map((j) => dot(anchor, image[j]!) / temperature),
        same.map((is) => (is ? 1 / positives : 0)),
      );
    });
    return meanOfPresent(rows);
  };

/** Another formula on prefixes of the features. */
export const matryoshkaFormula =
  (inner: Formula, dims: readonly number[], weights: readonly number[]): Formula =>
  (batch) => {
    const shorten = (rows: number[][], dim: number): number[][] =>
      rows.map((row) => {
        const start = row.slice(0, dim);
        // All of a feature is normalised already.
        const length = dim === row.length ? 1 : Math.sqrt(dot(start, start));
        return start.map((value) => value / length);
      });
    return dims.reduce((total, dim, i) => {
      const { image, text } = batch.features;
      const features = { image: shorten(image, dim), text: shorten(text, dim) };
      return total + weights[i]! * inner({ ...batch, features });
    }, 0);
  };

/** Fails unless a loss has the value of a formula and the slopes of central differences of that formula. */
export function expectFormula(loss: Loss, formula: Formula, batch: Batch): void {
  const found = runLoss(loss, batch);
  expect(Math.abs(found.loss - formula(batch)), "value").toBeLessThan(1e-12);
  const step = 1e-5;
  const slope = (change: (by: number) => Batch): number =>
    (formula(change(step)) - formula(change(-step))) / (2 * step);
  for (const modality of ["image", "text"] as const) {
    const rows = batch.features[modality];
    const width = rows[0]!.length;
    found.gradients[modality]!.forEach((got, entry) => {
      const moved = (by: number): number[][] =>
        rows.map((row, r) => row.map((v, c) => (r * width + c === entry ? v + by : v)));
      const expected = slope((by) => ({
        ...batch,
        features: { ...batch.features, [modality]: moved(by) },
      }));
      expect(Math.abs(got - expected), `gradient by ${modality} ${entry}`).toBeLessThan(1e-7);
    });
  }
  const byScale = slope((by) => ({ ...batch, logitScale: batch.logitScale + by }));
  expect(Math.abs(found.gradients["logitScale"]![0]! - byScale), "by scale").toBeLessThan(1e-7);
  const { logitBias } = batch;
  if (logitBias === undefined) return;
  const byBias = slope((by) => ({ ...batch, logitBias: logitBias + by }));
  expect(Math.abs(found.gradients["logitBias"]![0]! - byBias), "by bias").toBeLessThan(1e-7);
}

/** Fails unless value, metrics and gradients are numbers. @returns the value */
export function expectFinite(loss: Loss, batch: LossCase): number {
  const found = runLoss(loss, batch);
  const all = [
    found.loss,
    ...Object.values(found.metrics),
    ...Object.values(found.gradients).flat(),
  ];
  expect(all.filter((value) => !Number.isFinite(value))).toEqual([]);
  return found.loss;
}
