/** Runs with each contrastive loss, from a configuration to the log. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Part } from "@diptych/core/plugin";
import { readJsonlLog } from "@diptych/training";
import { hardNegatives, infoNce, matryoshka, sigmoidLoss, weightedSum } from "@diptych/losses";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeFakeConfig, type FakeConfig } from "./isolated/fake-config.test-support.js";
import { openConfigFile } from "./load-config.js";
import { train } from "./train.js";

let fake: FakeConfig;
beforeAll(async () => {
  fake = await writeFakeConfig({ type: "onnx", threads: 1 });
});
afterAll(() => rm(fake.folder, { recursive: true, force: true }));

type LoggedStep = Readonly<Record<string, unknown>>;

/** Trains for a few steps, with captions of further samples in each batch. */
async function stepsOf(name: string, loss: Part): Promise<readonly LoggedStep[]> {
  const out = join(fake.folder, name);
  const opened = await openConfigFile(fake.file, {
    set: [
      `loss=${JSON.stringify(loss)}`,
      "model.logitBias=-2",
      "data.extraCaptions=2",
      "training.steps=4",
    ],
  });
  await train({ opened, out, resume: false, on: () => undefined });
  return readJsonlLog(join(out, "log.jsonl")).filter(({ event }) => event === "step");
}

describe("a run with a loss of the plugin", () => {
  const parts: Readonly<Record<string, readonly [Part, ...string[]]>> = {
    masked: [
      infoNce({ duplicates: "masked", positives: "apart", labelSmoothing: 0.1 }),
      "accuracy",
      "positiveSimilarity",
    ],
    negatives: [infoNce({ duplicates: "negatives", noneOfThese: true }), "accuracy"],
    hard: [hardNegatives({ beta: 0.5, tauPlus: 0.1 }), "accuracy"],
    prefixes: [matryoshka({ loss: infoNce() }), "dim8/loss", "dim8/accuracy"],
    sum: [
      weightedSum({
        terms: [
          { loss: matryoshka({ loss: infoNce(), dims: [4, 8], weights: [0.5, 1] }) },
          { loss: sigmoidLoss({ chunkSize: 2, duplicates: "masked" }), weight: 0.1, name: "pairs" },
        ],
      }),
      "matryoshka/dim4/loss",
      "matryoshka/dim8/positiveSimilarity",
      "pairs/loss",
      "pairs/accuracy",
    ],
  };

  it.each(Object.keys(parts))("%s: logs the loss and each of its terms", async (name) => {
    const [part, ...metrics] = parts[name]!;
    const steps = await stepsOf(name, part);
    expect(steps).toHaveLength(4);
    for (const { loss, gradNorm, metrics: logged } of steps) {
      const values = { loss, gradNorm, ...(logged as Readonly<Record<string, unknown>>) };
      expect(Object.keys(values)).toEqual(expect.arrayContaining(metrics));
      for (const [key, value] of Object.entries(values))
        expect(value, key).toSatisfy(Number.isFinite);
    }
  });

  it("learns the same in chunks as at once", async () => {
    const curve = (steps: readonly LoggedStep[]): number[] => steps.map(({ loss }) => Number(loss));
    const [whole, chunked] = [
      curve(await stepsOf("whole", sigmoidLoss())),
      curve(await stepsOf("chunked", sigmoidLoss({ chunkSize: 3 }))),
    ];
    expect(whole[3]).not.toBe(whole[0]);
    whole.forEach((loss, i) => expect(Math.abs(chunked[i]! / loss - 1)).toBeLessThan(1e-5));
  });
});
