import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ConfigError, RegistryError } from "../errors.js";
import {
  backend,
  dataset,
  definePlugin,
  evaluator,
  imageEncoder,
  loss,
  optimizer,
  schedule,
  textEncoder,
  tokenizer,
  type Declaration,
} from "../plugin/define-plugin.js";
import { installPlugins } from "../plugin/registry.js";
import { formatDuration, parseDuration } from "./durations.js";
import { overlay, parseAssignment } from "./overlay.js";
import { resolveConfig, resolveEvaluation } from "./resolve.js";

const nothing = z.strictObject({});
const make = (): never => {
  throw new Error("not created in these tests");
};
const provides: Declaration[] = [
  imageEncoder("vit", {
    summary: "a tower",
    schema: z.strictObject({ width: z.int().min(1).default(192), patchSize: z.int().default(16) }),
    create: make,
  }),
  textEncoder("words", { summary: "a tower", schema: nothing, create: make }),
  loss("info-nce", { summary: "a loss", schema: nothing, create: make }),
  optimizer("adamw", {
    summary: "an optimizer",
    schema: z.strictObject({ learningRate: z.number().positive().default(1e-3) }),
    create: make,
  }),
  schedule("cosine", { summary: "a schedule", schema: nothing, create: make }),
  dataset("jsonl", {
    summary: "a set",
    schema: z.strictObject({ path: z.string() }),
    create: make,
  }),
  tokenizer("bpe", { summary: "a tokenizer", schema: nothing, create: make }),
  backend("onnx", { summary: "a backend", schema: nothing, create: make }),
  evaluator("recall", {
    summary: "an evaluator",
    schema: z.strictObject({ k: z.int().min(1).default(1) }),
    create: make,
  }),
];
const registry = installPlugins([definePlugin({ name: "test", contract: 1, provides })]);
const good = {
  model: { embedDim: 8, encoders: { image: { type: "vit" }, text: { type: "words" } } },
  data: { train: { type: "jsonl", path: "x.jsonl" } },
};

function problemsOf(raw: unknown): readonly string[] {
  try {
    resolveConfig(raw, registry);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.path}: ${p.message}`);
    throw error;
  }
  return [];
}

describe("resolveConfig", () => {
  it("fills defaults of the shell and of each part", () => {
    const config = resolveConfig(good, registry);
    expect(config.model.encoders["image"]?.config).toEqual({ width: 192, patchSize: 16 });
    expect(config.optimizer.config).toEqual({ learningRate: 1e-3 });
    expect(config.training.batchSize).toBe(64);
    expect(config.model.logitScale.max).toBe(100);
  });

  it("reports every problem at once, with path, expectation and the nearest known name", () => {
    const problems = problemsOf({
      ...good,
      sed: 1,
      model: { ...good.model, encoders: { image: { type: "vitt" }, text: { type: "words" } } },
      optimizer: { type: "adamw", lerningRate: 1 },
      training: { batchSize: "many", stepz: 3 },
      data: { train: { type: "jsonl" } },
    });
    const text = problems.join("\n");
    expect(text).toContain('sed: unknown key. Did you mean "seed"?');
    expect(text).toContain(
      'model.encoders.image.type: encoder: expected an installed one, got "vitt". Did you mean "vit"?',
    );
    expect(text).toContain('optimizer.lerningRate: unknown key. Did you mean "learningRate"?');
    expect(text).toContain('training.batchSize: expected number, got "many"');
    expect(text).toContain('training.stepz: unknown key. Did you mean "steps"?');
    expect(text).toContain("data.train.path: expected string, got nothing");
  });

  it("refuses an encoder of another modality", () => {
    const encoders = { image: { type: "words" }, text: { type: "words" } };
    expect(problemsOf({ ...good, model: { ...good.model, encoders } })).toEqual([
      'model.encoders.image: expected an encoder of image, got "words", which encodes text',
    ]);
  });

  it("takes one length of training and durations as people write them", () => {
    expect(problemsOf({ ...good, training: { steps: 3, duration: "5m" } }).join()).toContain(
      "got several",
    );
    expect(
      resolveConfig({ ...good, training: { duration: "5m" } }, registry).training.duration,
    ).toBe(300);
    expect(problemsOf({ ...good, training: { duration: "soon" } }).join()).toContain('"300s"');
  });
});

describe("cross-checks", () => {
  it("refuse a similarity scale that its bounds would move at once", () => {
    const scaled = (logitScale: object): readonly string[] =>
      problemsOf({ ...good, model: { ...good.model, logitScale } });
    expect(scaled({ initial: 200 }).join()).toContain(
      "model.logitScale.initial: expected a start between 1 and max, or max: null for no bounds, got 200",
    );
    expect(scaled({ initial: 0.5 })).toHaveLength(1);
    expect(scaled({ initial: 200, max: null })).toEqual([]);
    expect(scaled({ initial: 100 })).toEqual([]);
  });
});

describe("problems", () => {
  it("show what came, whatever it is", () => {
    expect(problemsOf({ ...good, seed: 10n }).join()).toContain("got 10");
    expect(problemsOf({ ...good, seed: Symbol("x") }).join()).toContain("got Symbol(x)");
    expect(problemsOf({ ...good, seed: () => 1 }).join()).toContain("got a function");
    expect(problemsOf({ ...good, name: { long: "x".repeat(200) } }).join()).toMatch(/x{20}\.\.\./);
    expect(problemsOf(undefined).join()).toContain("config: ");
  });

  it("name the place of parts inside lists", () => {
    const evaluators = [
      { evaluator: { type: "retrieval" }, dataset: { type: "jsonl", path: "x" } },
    ];
    expect(problemsOf({ ...good, evaluators }).join()).toContain("evaluators[0].evaluator.type: ");
  });
});

describe("a configuration that only measures", () => {
  const dataset = { type: "jsonl", path: "x.jsonl" };
  const problemsIn = (raw: unknown): readonly string[] => {
    try {
      resolveEvaluation(raw, registry);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map((p) => p.path);
      throw error;
    }
    return [];
  };
  it("needs neither model nor data", () => {
    const evaluators = [
      { evaluator: { type: "recall" }, dataset },
      { name: "mine", evaluator: { type: "recall", k: 5 }, dataset, trainDataset: dataset },
    ];
    const config = resolveEvaluation({ seed: 3, evaluators }, registry);
    expect(config.evaluators.map(({ name }) => name)).toEqual(["recall", "mine"]);
    expect(config.evaluators[1]?.evaluator.config).toEqual({ k: 5 });
    expect(config.evaluators[1]?.trainDataset?.config).toEqual({ path: "x.jsonl" });
    expect([config.seed, config.backend.declaration.type]).toEqual([3, "onnx"]);
  });
  it("tells apart two evaluators of one name", () => {
    const entry = { evaluator: { type: "recall" }, dataset };
    const { evaluators } = resolveEvaluation({ evaluators: [entry, entry] }, registry);
    expect(evaluators.map(({ name }) => name)).toEqual(["recall", "recall-2"]);
  });
  it("is checked as strictly", () => {
    expect(problemsIn({ evaluators: [], training: {} })).toEqual(["training"]);
    expect(problemsIn({ evaluators: [{ evaluator: { type: "recall" } }] })).toEqual([
      "evaluators[0].dataset",
    ]);
    expect(
      problemsIn({
        backend: { type: "onx" },
        evaluators: [{ evaluator: { type: "recall", k: 0 }, dataset: { type: "jsonl" } }],
      }),
    ).toEqual(["backend.type", "evaluators[0].evaluator.k", "evaluators[0].dataset.path"]);
  });
});

describe("durations", () => {
  it("are read as people write them", () => {
    expect(["300s", "5m", "1h30m", "1.5 h", "2d", "250ms", "3min"].map(parseDuration)).toEqual([
      300, 300, 5400, 5400, 172800, 0.25, 180,
    ]);
    expect(["", "5", "m5", "5 m!", "-5m", "5y"].map(parseDuration)).toEqual(
      Array(6).fill(undefined),
    );
    expect([3720, 245, 12, -1].map(formatDuration)).toEqual([
      "1 h 02 min",
      "4 min 05 s",
      "12 s",
      "0 s",
    ]);
  });
});

describe("installPlugins", () => {
  const empty = definePlugin({ name: "empty", contract: 1, provides: [] });
  it("refuses a plugin twice, a declaration twice, another contract and what is no plugin", () => {
    expect(() => installPlugins([empty, empty])).toThrow(RegistryError);
    const twice = [1, 2].map((n) =>
      definePlugin({ name: `p${n}`, contract: 1, provides: provides.slice(0, 1) }),
    );
    expect(() => installPlugins(twice)).toThrow(/encoder "vit".*plugins "p1" and "p2"/);
    expect(() =>
      installPlugins([definePlugin({ name: "new", contract: 2, provides: [] })]),
    ).toThrow(/plugin "new": expected contract 1, got 2/);
    expect(() => installPlugins([{ name: "x", contract: 1, provides: [] }])).toThrow(
      /definePlugin/,
    );
  });
});

describe("overlay", () => {
  it("merges objects, replaces parts of another type and everything else", () => {
    const base = { a: { x: 1, y: 2 }, part: { type: "p", k: 1 }, list: [1, 2] };
    expect(overlay(base, { a: { y: 3 }, list: [3] })).toEqual({
      ...base,
      a: { x: 1, y: 3 },
      list: [3],
    });
    expect(overlay(base, { part: { type: "q" } })).toMatchObject({ part: { type: "q" } });
    expect(overlay(base, { part: { k: 2 } })).toMatchObject({ part: { type: "p", k: 2 } });
  });

  it("reads assignments", () => {
    expect(parseAssignment("training.steps=10")).toEqual({ training: { steps: 10 } });
    expect(parseAssignment("training.ema=.5")).toEqual({ training: { ema: 0.5 } });
    expect(parseAssignment("training.duration=undefined")).toEqual({
      training: { duration: undefined },
    });
    expect(parseAssignment("name=my run")).toEqual({ name: "my run" });
    expect(() => parseAssignment("steps")).toThrow(ConfigError);
  });
});
