import { expect, it } from "vitest";
import type { CurvePoint, MethodRun } from "../comparison.js";
import { studentQuantile } from "../statistics/distributions.js";
import { curveNames, meanCurves } from "./mean-curves.js";

function run(seed: number, points: readonly (readonly [number, number])[]): MethodRun {
  const curve = points.map(([samples, value], step): CurvePoint => ({
    step,
    samples,
    flops: 10 * samples,
    seconds: samples * (1 + seed / 10),
    values: { "task/top1": value, loss: 1 - value },
  }));
  return { method: "A", seed, rows: [], failed: [], curve, folder: "" };
}

it("is mean ± t·s/√n at the places of the seeds where they agree", () => {
  const runs = [
    run(0, [
      [0, 0],
      [100, 0.4],
    ]),
    run(1, [
      [0, 0.2],
      [100, 0.8],
    ]),
  ];
  const [curve] = meanCurves(runs, { value: "task/top1", against: "samples" });
  expect(curve?.seeds).toBe(2);
  expect(curve?.points.map(({ x }) => x)).toEqual([0, 100]);
  // Of 0.4 and 0.8: s = 0.4/√2, so t·s/√2 = 0.2·t.
  const half = 0.2 * studentQuantile(0.975, 1);
  const last = curve?.points[1];
  expect(last?.mean).toBeCloseTo(0.6, 12);
  expect(last?.low).toBeCloseTo(0.6 - half, 12);
  expect(last?.high).toBeCloseTo(0.6 + half, 12);
});

it("goes along straight lines where seeds measured elsewhere, within what all have", () => {
  const runs = [
    run(0, [
      [0, 0],
      [100, 1],
    ]),
    run(10, [
      [10, 0],
      [60, 1],
    ]),
  ];
  const [curve] = meanCurves(runs, { value: "task/top1", against: "samples" });
  expect(curve?.points[0]).toMatchObject({ x: 10, mean: 0.05 });
  expect(curve?.points.at(-1)).toMatchObject({ x: 60, mean: 0.8 });
});

it("thins long curves and leaves out what is no number", () => {
  const long = Array.from({ length: 500 }, (_, i) => [i, i === 250 ? NaN : i] as const);
  const [curve] = meanCurves([run(0, long)], { value: "task/top1", against: "samples" });
  expect(curve?.points).toHaveLength(60);
  expect(curve?.points.every(({ mean, x, low }) => Math.abs(mean - x) < 1e-9 && low === mean)).toBe(
    true,
  );
});

it("has nothing where nothing was measured, and no place where seeds have none in common", () => {
  const options = { value: "task/top1", against: "samples" } as const;
  expect(meanCurves([run(0, [])], options)).toEqual([]);
  const apart = [
    run(0, [
      [0, 0],
      [10, 1],
    ]),
    run(1, [
      [20, 0],
      [30, 1],
    ]),
  ];
  expect(meanCurves(apart, options)[0]?.points).toEqual([]);
});

it("names metrics before the loss and its terms", () => {
  const one = run(0, [[0, 0]]);
  const curve = [{ ...one.curve[0]!, values: { "loss/a": 1, loss: 1, "task/top1": 0 } }];
  expect(curveNames([{ ...one, curve }])).toEqual(["task/top1", "loss", "loss/a"]);
});
