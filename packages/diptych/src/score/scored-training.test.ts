/** A model of a loss that scores: trained, saved, measured, loaded, resumed, converted. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openCheckpoint } from "@diptych/checkpoints";
import type { EvaluationContext } from "@diptych/core";
import { definePlugin, evaluator } from "@diptych/core/plugin";
import { captioning, coca, infoNce } from "@diptych/losses";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { evaluateModel } from "../evaluate.js";
import { writeFakeConfig, type FakeConfig } from "../isolated/fake-config.test-support.js";
import { loadClip } from "../load-clip.js";
import { openConfigFile, type OpenedConfig } from "../load-config.js";
import { saveModel } from "../model-folder.js";
import { readModel } from "../read-model.js";
import { train, type TrainSummary } from "../train.js";

const CAPTIONS = ["a red square", "a cyan square", "a square"];
const COLOURS = ["red", "cyan"];
const STEPS = 40;

/** Gives the scores of the first pictures as a metric each; fails where there are none. */
const askScores = definePlugin({
  name: "ask-scores",
  contract: 1,
  provides: [
    evaluator("ask-scores", {
      summary: "the scores themselves",
      schema: z.strictObject({}),
      create: () => ({
        name: "ask-scores",
        evaluate: async ({ score, dataset, random }: EvaluationContext) => {
          if (!score) throw new Error("no scores");
          const sample = await dataset.sample(0, { random, images: 1, captions: 1 });
          const { data } = await score(sample.images, CAPTIONS);
          return {
            metrics: Object.fromEntries(
              Array.from(data, (value, i) => [`score${i}`, { value, queries: 1, candidates: 3 }]),
            ),
          };
        },
      }),
    }),
  ],
});

/** A model's configuration names what it was measured by. */
const reading = { plugins: [askScores] };

let fake: FakeConfig;
let opened: OpenedConfig;
let summary: TrainSummary;
const out = (name: string): string => join(fake.folder, name);

const evaluators = [
  { evaluator: { type: "ask-scores" }, dataset: { type: "jsonl", path: "set.jsonl" } },
];
const open = (loss: object, ...set: string[]): Promise<OpenedConfig> =>
  openConfigFile(fake.file, {
    ...reading,
    set: [
      `loss=${JSON.stringify(loss)}`,
      `training.steps=${STEPS}`,
      "schedule.learningRate=0.03",
      ...set,
    ],
  });

beforeAll(async () => {
  fake = await writeFakeConfig({ type: "onnx", threads: 1 });
  opened = await open(
    captioning({ width: 8, layers: 1, heads: 2 }),
    `evaluators=${JSON.stringify(evaluators)}`,
  );
  summary = await train({ opened, out: out("run") });
});
afterAll(() => rm(fake.folder, { recursive: true, force: true }));

const pictures = (): string[] => COLOURS.map((name) => out(`${name}.png`));
const metricsOf = (found: TrainSummary["evaluations"]): number[] =>
  Object.values(found["ask-scores"]!.metrics).map(({ value }) => value);

async function scoresOf(folder: string): Promise<number[]> {
  const clip = await loadClip(folder, reading);
  try {
    return [...(await clip.score(pictures(), CAPTIONS)).data];
  } finally {
    await clip.dispose();
  }
}

describe("a captioning model", () => {
  it("learns, and is measured by its scores with the weights that it was trained to", async () => {
    expect(summary.finished).toBe(true);
    const measured = metricsOf(summary.evaluations);
    expect(measured).toHaveLength(CAPTIONS.length);
    for (const value of measured) expect(value).toBeLessThan(0);
    // The captions of training are likelier than half of one.
    expect(measured[0]).toBeGreaterThan(measured[2]!);
  });

  it("keeps its decoder in the folder: the same scores when it is loaded and when it is measured again", async () => {
    const found = await scoresOf(summary.modelPath!);
    const [, , , ...second] = found;
    expect(second).not.toEqual(found.slice(0, 3));
    const again = metricsOf((await evaluateModel({ model: summary.modelPath!, opened })).tasks);
    const trained = metricsOf(summary.evaluations);
    again.forEach((value, i) => expect(value).toBeCloseTo(trained[i]!, 4));
    found.slice(0, 3).forEach((value, i) => expect(value).toBeCloseTo(trained[i]!, 4));
  });

  it("goes on from a checkpoint to the same model", async () => {
    const controller = new AbortController();
    const half = await train({
      opened,
      out: out("halves"),
      signal: controller.signal,
      on: (event) => {
        if (event.event === "progress" && event.step === STEPS / 2) controller.abort();
      },
    });
    expect(half.finished).toBe(false);
    const whole = await train({ opened, out: out("halves"), resume: true });
    expect(whole.finished).toBe(true);
    expect(await scoresOf(whole.modelPath!)).toEqual(await scoresOf(summary.modelPath!));
  });

  it("keeps the decoder when it is written anew, and says that other formats leave it", async () => {
    const clip = await loadClip(summary.modelPath!, reading);
    const notes = await clip.save(out("own"), { format: "diptych" });
    await clip.dispose();
    expect(notes).toEqual([]);
    expect(await scoresOf(out("own"))).toEqual(await scoresOf(summary.modelPath!));
  });

  it("loads from a folder of before, which holds the towers alone, without scores", async () => {
    const { parameters, tokenizer, step = 0 } = await readModel(summary.modelPath!, reading);
    const towers = new Map([...parameters].filter(([name]) => !name.startsWith("loss.")));
    expect(towers.size).toBeLessThan(parameters.size);
    await saveModel(out("before"), {
      config: opened.config,
      tokenizer,
      parameters: towers,
      step,
    });
    const clip = await loadClip(out("before"), reading);
    expect((await clip.encodeImages(pictures())).shape).toEqual([2, 8]);
    await expect(clip.score(pictures(), CAPTIONS)).rejects.toThrow(
      /before: expected a model trained with a loss that scores pairs.*got "captioning"/,
    );
    await clip.dispose();
  });
});

describe("CoCa", () => {
  it("trains a decoder on the text tower's tokens beside the contrastive term", async () => {
    const text = { type: "text-transformer", width: 8, layers: 1, heads: 2 };
    const found = await train({
      opened: await open(
        coca({ captioning: { layers: 1, heads: 2 } }),
        `model.encoders.text=${JSON.stringify(text)}`,
        `tokenizer=${JSON.stringify({ type: "bpe", contextLength: 8, vocabulary: "used" })}`,
      ),
      out: out("coca"),
    });
    expect(found.finished).toBe(true);
    const log = await readModel(found.modelPath!);
    expect([...log.parameters.keys()]).toContain("token_embedding.weight");
  });

  it("needs a causal text tower", async () => {
    const text = {
      type: "text-transformer",
      width: 8,
      layers: 1,
      heads: 2,
      attention: "bidirectional",
    };
    const opening = open(
      coca({ captioning: { layers: 1, heads: 2 } }),
      `model.encoders.text=${JSON.stringify(text)}`,
    );
    await expect(train({ opened: await opening, out: out("looks-ahead") })).rejects.toThrow(
      /expected a causal text tower.*model\.encoders\.text/,
    );
  });
});

describe("a model whose loss scores nothing", () => {
  it("keeps no parameter of the loss", async () => {
    const found = await train({ opened: await open(infoNce()), out: out("plain") });
    const { reader } = await openCheckpoint(found.modelPath!);
    expect(reader.entries.filter(({ name }) => name.startsWith("loss."))).toEqual([]);
    await reader.close();
  });
});
