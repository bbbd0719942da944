/**
 * Small pictures of the modes that photographs rarely have (16 bits, transparent colours, GIF of every kind, CMYK and
 * RGBA TIFF, aspect 1:5) against open_clip's transform: hashes of the uint8 RGB crop (fixtures/modes/PROVENANCE.md).
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createEvaluationTransform } from "./evaluation-transform.js";
import type { EvaluationSettings } from "./settings.js";

const folder = fileURLToPath(new URL("../../fixtures/modes", import.meta.url));

type Settings = Pick<EvaluationSettings, "resizeMode" | "interpolation" | "fillColor" | "rgb">;

interface Row extends Settings {
  readonly input: string;
  readonly mode: string;
  readonly height: number;
  readonly width: number;
  readonly sha256: string;
}

const { rows } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as { rows: Row[] };

describe("open_clip's transform of rare modes", () => {
  it.each(rows)("$input ($mode) $height×$width $resizeMode $interpolation $rgb", async (row) => {
    const { input, height, width, sha256, resizeMode, interpolation, fillColor, rgb } = row;
    const transform = createEvaluationTransform({
      imageHeight: height,
      imageWidth: width,
      resizeMode,
      interpolation,
      fillColor,
      rgb,
    });
    const image = await transform.pixels(join(folder, input));
    expect(createHash("sha256").update(image.data).digest("hex")).toBe(sha256);
  });
});
