/**
 * Every picture of open_clip's own transform (fixtures/preprocess/index.json): the RGB crop before normalisation, and
 * the mean and deviation of the tensor after it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { createEvaluationTransform } from "./evaluation-transform.js";
import type { EvaluationSettings } from "./settings.js";

const goldens =
  process.env["DIPTYCH_GOLDENS"] ?? fileURLToPath(new URL("../../fixtures", import.meta.url));
const folder = join(goldens, "preprocess");

interface Row {
  readonly input: string;
  readonly mode: string;
  readonly size: number;
  readonly resize_mode: EvaluationSettings["resizeMode"];
  readonly rgb: EvaluationSettings["rgb"];
  readonly expected: string;
  readonly tensor_mean: number;
  readonly tensor_std: number;
}

interface Index {
  readonly mean: [number, number, number];
  readonly std: [number, number, number];
  readonly interpolation: EvaluationSettings["interpolation"];
  readonly rows: readonly Row[];
}

const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as Index;

/** Levels by which a decoder may differ from Pillow's: none where the format leaves no choice. */
function tolerance({ input }: Row): number {
  return /\.jpe?g$/.test(input) ? 1 : 0;
}

function transformOf(row: Row): ReturnType<typeof createEvaluationTransform> {
  const { mean, std, interpolation } = index;
  return createEvaluationTransform({
    imageHeight: row.size,
    imageWidth: row.size,
    mean,
    std,
    interpolation,
    resizeMode: row.resize_mode,
    rgb: row.rgb,
  });
}

describe("open_clip's evaluation transform", () => {
  it("has pictures to compare", () => {
    expect(index.rows.length).toBeGreaterThan(20);
  });

  it.each(index.rows)("$expected", async (row) => {
    const transform = transformOf(row);
    const source = join(folder, "input", row.input);
    const { data, width, height } = await transform.pixels(source);
    const { data: wanted, info } = await sharp(join(folder, "expected", row.expected))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([width, height, 3]).toEqual([info.width, info.height, info.channels]);
    let worst = 0;
    for (let i = 0; i < wanted.length; i++) {
      worst = Math.max(worst, Math.abs((data[i] ?? NaN) - (wanted[i] ?? NaN)));
    }
    expect(worst).toBeLessThanOrEqual(tolerance(row));
    const { data: values } = await transform.tensor(source);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    // Of the population, as numpy computes it.
    expect(Math.abs(mean - row.tensor_mean)).toBeLessThan(tolerance(row) === 0 ? 1e-5 : 5e-3);
    const deviation = Math.sqrt(squares / values.length);
    expect(Math.abs(deviation - row.tensor_std)).toBeLessThan(tolerance(row) === 0 ? 1e-5 : 5e-3);
  });
});
