import type { Loss } from "@diptych/core";
import type { Part } from "@diptych/core/plugin";
import { createPart } from "@diptych/testing";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { mixed } from "./batches.fixture.js";
import {
  hardNegatives,
  hardNegativesSchema,
  infoNce,
  infoNceSchema,
  matryoshka,
  matryoshkaSchema,
  sigmoidLoss,
  sigmoidSchema,
  weightedSum,
} from "./config.js";
import { createHardNegatives } from "./hard-negatives.js";
import { createInfoNce } from "./info-nce.js";
import { runLoss } from "./losses.test-support.js";
import { createMatryoshka } from "./matryoshka.js";
import { lossesPlugin } from "./plugin.js";
import { createSigmoidLoss } from "./sigmoid.js";
import { createWeightedSum } from "./weighted-sum.js";

/** A loss as a run makes it, inner ones as well, for features of 3. */
const create = (part: Part): Loss =>
  createPart(lossesPlugin, "loss", part, { embedDim: 3, createLoss: create });

const at = { ...mixed, logitBias: -2 };

describe("a loss made by its configuration", () => {
  const sampled = { duplicates: "masked", positives: "apart", labelSmoothing: 0.25 } as const;
  const hard = { duplicates: "negatives", beta: 0.5, tauPlus: 0.25, alpha: 0.5 } as const;
  const cases: readonly (readonly [string, Part, Loss])[] = [
    ["InfoNCE as it is by default", infoNce(), createInfoNce()],
    ["InfoNCE with options", infoNce(sampled), createInfoNce(sampled)],
    [
      "InfoNCE with none of these",
      infoNce({ noneOfThese: true }),
      createInfoNce({ noneOfThese: true }),
    ],
    ["sigmoid as it is by default", sigmoidLoss(), createSigmoidLoss()],
    [
      "sigmoid in chunks",
      sigmoidLoss({ chunkSize: 3, duplicates: "masked" }),
      createSigmoidLoss({ duplicates: "masked" }),
    ],
    ["hard negatives as they are by default", hardNegatives(), createHardNegatives()],
    ["hard negatives with options", hardNegatives(hard), createHardNegatives(hard)],
    [
      "Matryoshka with weights",
      matryoshka({ loss: infoNce(), dims: [1, 3], weights: [0.5, 2] }),
      createMatryoshka({ loss: createInfoNce(), dims: [1, 3], weights: [0.5, 2] }),
    ],
    [
      "Matryoshka of the width that the model has",
      matryoshka({ loss: sigmoidLoss() }),
      createMatryoshka({ loss: createSigmoidLoss(), dims: [3] }),
    ],
    [
      "a sum of them",
      weightedSum({
        terms: [
          { loss: infoNce() },
          { loss: matryoshka({ loss: infoNce(), dims: [2] }), weight: 0.5, name: "short" },
        ],
      }),
      createWeightedSum([
        { loss: createInfoNce() },
        {
          loss: createMatryoshka({ loss: createInfoNce(), dims: [2] }),
          weight: 0.5,
          name: "short",
        },
      ]),
    ],
  ];

  it.each(cases)("%s", (_, part, expected) => {
    const [found, wanted] = [runLoss(create(part), at), runLoss(expected, at)];
    expect(found.loss).toBeCloseTo(wanted.loss, 12);
    expect(Object.keys(found.metrics)).toEqual(Object.keys(wanted.metrics));
  });

  it("refuses a prefix beyond the model's width before anything is built", () => {
    expect(() => create(matryoshka({ loss: infoNce(), dims: [2, 4] }))).toThrow(
      /losses\/matryoshka: dims: expected none beyond embedDim 3, got 4/,
    );
  });
});

describe("schemas refuse", () => {
  const infoNceCases: readonly (readonly [unknown, string])[] = [
    [{ labelSmoothing: 1 }, "labelSmoothing"],
    [{ labelSmoothing: -0.1 }, "labelSmoothing"],
    [{ duplicates: "ignored" }, "duplicates"],
    [{ positives: "some" }, "positives"],
    [{ between: ["image", "image"] }, "between"],
    [{ noneOfThese: 1 }, "noneOfThese"],
    [{ smoothing: 0.1 }, ""],
  ];
  it.each(infoNceCases)("info-nce %o", (settings, path) => {
    expect(pathsOf(infoNceSchema.safeParse(settings))).toEqual([path]);
  });

  it.each([
    [{ chunkSize: 0 }, "chunkSize"],
    [{ chunkSize: 1.5 }, "chunkSize"],
    [{ chunks: 4 }, ""],
  ])("sigmoid %o", (settings, path) => {
    expect(pathsOf(sigmoidSchema.safeParse(settings))).toEqual([path]);
  });

  it.each([
    [{ beta: -1 }, "beta"],
    [{ tauPlus: 1 }, "tauPlus"],
    [{ alpha: 0 }, "alpha"],
    [{ alpha: 1.5 }, "alpha"],
  ])("hard-negatives %o", (settings, path) => {
    expect(pathsOf(hardNegativesSchema.safeParse(settings))).toEqual([path]);
  });

  const loss = infoNce();
  const prefixCases: readonly (readonly [unknown, string])[] = [
    [{ dims: [2] }, "loss"],
    [{ loss, dims: [] }, "dims"],
    [{ loss, dims: [4, 2] }, "dims"],
    [{ loss, dims: [2, 2] }, "dims"],
    [{ loss, dims: [0, 2] }, "dims.0"],
    [{ loss, dims: [2, 4], weights: [1] }, "weights"],
    [{ loss, weights: [1] }, "dims"],
  ];
  it.each(prefixCases)("matryoshka %o", (settings, path) => {
    expect(pathsOf(matryoshkaSchema.safeParse(settings))).toEqual([path]);
  });
});

function pathsOf(result: z.ZodSafeParseResult<unknown>): string[] {
  return (result.error?.issues ?? []).map(({ path }) => path.join("."));
}
