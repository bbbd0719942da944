/** How often intervals hold the truth, by simulation of trained models: seeds and items as a probit model draws them. */
import { createRandom } from "@diptych/core";
import { bootstrapInterval } from "./bootstrap.js";
import { studentQuantile } from "./distributions.js";
import { estimateMean } from "./mean-estimate.js";
import { meanInterval } from "./mean-interval.js";
import { differences, outcomeTable, type OutcomeTable } from "./outcome-table.js";

/** Item i is right under seed s where μ + aₛ + bᵢ + eₛᵢ > 0, e standard normal. */
export interface Design {
  readonly seeds: number;
  readonly items: number;
  readonly accuracy: number;
  /** Deviation of a: 0.03 moves an accuracy of one half by about one point from seed to seed, 0.3 by about nine. */
  readonly seedSpread: number;
  /** Deviation of b: 0: every seed errs elsewhere; 3: seeds mostly agree on what is hard. */
  readonly itemSpread: number;
  /** For a difference of two methods: the other one's accuracy, on the same items. */
  readonly otherAccuracy?: number;
}

export interface Coverage {
  /** Shares of runs whose interval held the true mean. */
  readonly interval: number;
  readonly bootstrap: number | null;
}

interface CoverageOptions {
  readonly runs: number;
  readonly seed: number;
  /** Resamples of the bootstrap; it is not tried without. */
  readonly resamples?: number;
}

export function coverageOf(
  design: Design,
  { runs, seed, resamples = 0 }: CoverageOptions,
): Coverage {
  const random = createRandom(seed).split(JSON.stringify(design));
  const { accuracy, otherAccuracy, items } = design;
  const truth = accuracy - (otherAccuracy ?? 0);
  let [held, heldByBootstrap] = [0, 0];
  for (let run = 0; run < runs; run++) {
    const normals = new Float32Array(design.items);
    random.fillNormal(normals);
    const draw = (wanted: number): OutcomeTable => drawOutcomes(design, wanted, normals, random);
    const shares = otherAccuracy === undefined;
    const table = shares ? draw(accuracy) : differences(draw(accuracy), draw(otherAccuracy));
    const interval = meanInterval(estimateMean(table), { shares, binary: shares, items })!;
    if (interval.low <= truth && truth <= interval.high) held++;
    if (resamples === 0) continue;
    const bootstrap = bootstrapInterval(table, { random, resamples })!;
    if (bootstrap.low <= truth && truth <= bootstrap.high) heldByBootstrap++;
  }
  return { interval: held / runs, bootstrap: resamples === 0 ? null : heldByBootstrap / runs };
}

function drawOutcomes(
  { seeds, items, seedSpread, itemSpread }: Design,
  accuracy: number,
  difficulty: Float32Array,
  random: ReturnType<typeof createRandom>,
): OutcomeTable {
  const values = new Float64Array(seeds * items);
  const noise = new Float32Array(seeds * items);
  random.fillNormal(noise);
  const centre =
    studentQuantile(accuracy, Infinity) * Math.sqrt(1 + seedSpread ** 2 + itemSpread ** 2);
  for (let seed = 0; seed < seeds; seed++) {
    const ofSeed = centre + seedSpread * random.normal();
    for (let item = 0; item < items; item++) {
      const at = seed * items + item;
      values[at] = ofSeed + itemSpread * difficulty[item]! + noise[at]! > 0 ? 1 : 0;
    }
  }
  return { seeds, items, values };
}

/** The share of samples of `items` right or wrong answers whose interval holds the accuracy, without simulation. */
export function exactCoverage(items: number, accuracy: number): number {
  let held = 0;
  const odds = Math.log(accuracy / (1 - accuracy));
  let logProbability = items * Math.log(1 - accuracy);
  for (let right = 0; right <= items; right++) {
    const probability = Math.exp(logProbability);
    // Where there is a chance to speak of.
    if (probability > 1e-9) {
      const outcomes = Array.from({ length: items }, (_, item) => Number(item < right));
      const estimate = estimateMean(outcomeTable([outcomes]));
      const interval = meanInterval(estimate, { shares: true, binary: true, items })!;
      if (interval.low <= accuracy && accuracy <= interval.high) held += probability;
    }
    logProbability += Math.log((items - right) / (right + 1)) + odds;
  }
  return held;
}
