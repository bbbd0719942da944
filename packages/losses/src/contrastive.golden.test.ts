// open_clip's ClipLoss and SigLipLoss and PyTorch's cross-entropies (scripts/make_goldens.py), in float64.
import type { Loss } from "@diptych/core";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createInfoNce } from "./info-nce.js";
import { runLoss } from "./losses.test-support.js";
import { createSigmoidLoss } from "./sigmoid.js";

type Matrix = readonly (readonly number[])[];

interface GoldenCase {
  readonly logitScale: number;
  readonly logitBias: number;
  readonly loss: number;
  readonly gradients: {
    readonly image: Matrix;
    readonly text: Matrix;
    readonly logitScale: number;
    readonly logitBias: number;
  };
}

const golden = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../fixtures/contrastive.json"), "utf8"),
) as {
  readonly image: Matrix;
  readonly text: Matrix;
  readonly samples: readonly number[];
  readonly cases: Readonly<
    Record<"clip" | "clipWithBias" | "smoothed" | "siglip" | "shared", GoldenCase>
  >;
};

const concepts = { image: golden.samples, text: golden.samples };
const cases: readonly (readonly [
  keyof typeof golden.cases,
  Loss,
  { readonly samples?: typeof concepts },
])[] = [
  ["clip", createInfoNce(), {}],
  ["clip", createInfoNce({ positives: "apart" }), {}],
  // A loader's batch with duplicates, which ClipLoss does not know of.
  ["clip", createInfoNce({ duplicates: "negatives" }), { samples: concepts }],
  ["clipWithBias", createInfoNce(), {}],
  ["smoothed", createInfoNce({ labelSmoothing: 0.125 }), {}],
  ["smoothed", createInfoNce({ labelSmoothing: 0.125, positives: "apart" }), {}],
  ["shared", createInfoNce(), { samples: concepts }],
  ["siglip", createSigmoidLoss(), {}],
  ["siglip", createSigmoidLoss({ chunkSize: 2 }), {}],
];

describe("losses as open_clip and PyTorch compute them", () => {
  it.each(cases)("%s, case %#", (name, loss, batch) => {
    const { gradients, ...expected } = golden.cases[name];
    const found = runLoss(loss, {
      ...batch,
      features: { image: golden.image, text: golden.text },
      logitScale: expected.logitScale,
      logitBias: expected.logitBias,
    });
    expect(Math.abs(found.loss / expected.loss - 1)).toBeLessThan(1e-12);
    const { image, text, logitScale, logitBias } = gradients;
    const pairs: readonly (readonly [string, readonly number[]])[] = [
      ["image", image.flat()],
      ["text", text.flat()],
      ["logitScale", [logitScale]],
      ["logitBias", [logitBias]],
    ];
    for (const [what, values] of pairs)
      values.forEach((value, i) =>
        expect(Math.abs(found.gradients[what]![i]! - value), `${what} ${i}`).toBeLessThan(1e-12),
      );
  });
});
