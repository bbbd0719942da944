/** A comparison as it comes from training, made by code: coloured shapes as pictures, methods of different skill, noise by seed. */
import {
  createRandom,
  type Image,
  type ItemExample,
  type Metric,
  type Random,
} from "@diptych/core";
import type { Comparison, CurvePoint, MethodMean, MethodRun, PairedTest } from "../comparison.js";
import type { BenchmarkRow } from "../record.js";
import type { SuiteResult } from "../suite-result.js";
import type { ReportSearch } from "./search-index.js";

const COLOURS = {
  red: [220, 40, 40],
  orange: [240, 140, 30],
  green: [40, 150, 70],
  blue: [40, 90, 220],
  violet: [140, 60, 190],
  grey: [120, 120, 130],
} as const;
const SHAPES = ["circle", "square", "triangle", "cross"] as const;
const CLASSES = SHAPES.flatMap((shape) =>
  Object.keys(COLOURS).map((colour) => ({ colour: colour as keyof typeof COLOURS, shape })),
);
const NAMES = CLASSES.map(({ colour, shape }) => `${colour} ${shape}`);
const PER_CLASS = 10;
const ITEMS = CLASSES.length * PER_CLASS;

function inside(shape: (typeof SHAPES)[number], x: number, y: number): boolean {
  if (shape === "circle") return x * x + y * y < 0.6;
  if (shape === "square") return Math.max(Math.abs(x), Math.abs(y)) < 0.7;
  if (shape === "triangle") return y > -0.7 && y < 0.7 && Math.abs(x) < (y + 0.7) / 1.8;
  return Math.min(Math.abs(x), Math.abs(y)) < 0.22 && Math.max(Math.abs(x), Math.abs(y)) < 0.8;
}

/** The picture of a sample: its class's shape, a little off centre. */
export function pictureOf(sample: number): Image {
  const { colour, shape } = CLASSES[Math.floor(sample / PER_CLASS)] ?? CLASSES[0]!;
  const size = 72;
  const shift = ((sample % PER_CLASS) - 4.5) / 25;
  const data = new Uint8Array(size * size * 3).fill(255);
  for (let i = 0; i < size * size; i++) {
    const x = ((i % size) / size) * 2 - 1 + shift;
    const y = (Math.floor(i / size) / size) * 2 - 1 - shift;
    if (inside(shape, x, y)) data.set(COLOURS[colour], 3 * i);
  }
  return { width: size, height: size, channels: 3, data };
}

export interface FixtureOptions {
  readonly methods?: readonly string[];
  readonly seeds?: number;
}

const SKILL = [0.62, 0.68, 0.6, 0.55];
const SAMPLES = 200_000;

/** Whether each item is answered right, and what was answered. */
function answer(random: Random, skill: number): { guesses: number[]; confidence: number[] } {
  const guesses: number[] = [];
  const confidence: number[] = [];
  for (let item = 0; item < ITEMS; item++) {
    const target = Math.floor(item / PER_CLASS);
    const ease = 0.28 * Math.sin(target * 1.7);
    const right = random.next() < skill + ease;
    // Wrong answers keep the colour or the shape.
    const near =
      random.next() < 0.5 ? (target + 6) % 24 : target - (target % 6) + ((target + 1) % 6);
    guesses.push(right ? target : near);
    confidence.push(0.35 + 0.6 * random.next());
  }
  return { guesses, confidence };
}

const share = (value: number, queries = ITEMS, candidates = CLASSES.length): Metric => ({
  value,
  queries,
  candidates,
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function classification(random: Random, skill: number): BenchmarkRow["evaluation"] {
  const { guesses, confidence } = answer(random, skill);
  const target = (item: number): number => Math.floor(item / PER_CLASS);
  const right = guesses.map((guess, item) => Number(guess === target(item)));
  const recall = NAMES.map((_, c) => mean(right.slice(c * PER_CLASS, (c + 1) * PER_CLASS)));
  const cells = new Map<string, number>();
  guesses.forEach((guess, item) => {
    const key = `${target(item)},${guess}`;
    cells.set(key, (cells.get(key) ?? 0) + 1);
  });
  const example = (item: number, kind: "mistake" | "success"): ItemExample => ({
    kind,
    id: `shape-${item}`,
    sample: item,
    expected: NAMES[target(item)]!,
    answers: [
      { text: NAMES[guesses[item]!]!, score: confidence[item]!, right: right[item] === 1 },
      {
        text: NAMES[kind === "mistake" ? target(item) : (target(item) + 1) % 24]!,
        score: (1 - confidence[item]!) * 0.7,
        right: kind === "mistake",
      },
    ],
  });
  const order = guesses.map((_, i) => i).sort((a, b) => confidence[b]! - confidence[a]!);
  const byShape = Object.fromEntries(
    SHAPES.map((shape, s) => [shape, { top1: share(mean(right.slice(s * 60, (s + 1) * 60)), 60) }]),
  );
  return {
    metrics: {
      top1: share(mean(right)),
      top5: share(Math.min(1, mean(right) + 0.2)),
      meanPerClassRecall: share(mean(recall)),
      expectedCalibrationError: share(0.05 + 0.02 * random.next()),
    },
    items: { ids: guesses.map((_, i) => `shape-${i}`), values: { top1: right } },
    classes: {
      names: NAMES,
      queries: NAMES.map(() => PER_CLASS),
      recall,
      confusion: [...cells].map(([key, count]) => {
        const [from = 0, to = 0] = key.split(",").map(Number);
        return [from, to, count] as const;
      }),
    },
    groups: { shape: byShape },
    examples: [
      ...order
        .filter((i) => !right[i])
        .slice(0, 12)
        .map((i) => example(i, "mistake")),
      ...order
        .filter((i) => right[i])
        .slice(0, 4)
        .map((i) => example(i, "success")),
    ],
    notes: ["Every class has ten pictures."],
  };
}

function retrieval(random: Random, skill: number): BenchmarkRow["evaluation"] {
  const queries = NAMES.map(() => Number(random.next() < skill));
  return {
    metrics: {
      imageRecall1: share(mean(queries), 24, ITEMS),
      imageRecall5: share(Math.min(1, mean(queries) + 0.15), 24, ITEMS),
      medianRank: share(1 + Math.round(4 * random.next()), 24, ITEMS),
    },
    items: { ids: NAMES, values: { imageRecall1: queries } },
    examples: [2, 9, 15, 20].map((c) => ({
      kind: "neighbours" as const,
      id: `text-${c}`,
      text: NAMES[c]!,
      answers: [0, 1, 2, 3, 4].map((i) => {
        const from = random.next() < skill ? c : (c + 6) % 24;
        return { sample: from * PER_CLASS + i, score: 0.4 - 0.03 * i, right: from === c };
      }),
    })),
  };
}

function provenance(method: string, seed: number, task: string): BenchmarkRow["provenance"] {
  const data = { config: { type: "shapes" }, note: "by content" };
  return {
    code: { diptych: "0.1.0", node: "v20.20.0", commit: "0123456789abcdef", dirty: false },
    config: {
      name: method,
      seed,
      model: {
        embedDim: 32,
        encoders: { image: { type: "vit", width: 128 }, text: { type: "bag-of-words" } },
      },
      loss: { type: method.startsWith("Sigmoid") ? "sigmoid" : "info-nce" },
      training: { batchSize: 256, precision: "fp32" },
    },
    weights: createRandom(`${method}${seed}`).nextUint32().toString(16).padEnd(64, "c"),
    trainData: { ...data, name: "shapes", size: 960, fingerprint: "a".repeat(64) },
    testData: { ...data, name: task, size: ITEMS, fingerprint: "b".repeat(64) },
    preprocessing: { mode: "crop", size: 32, mean: [0.5, 0.5, 0.5] },
    precision: "fp32",
    backend: "ONNX Runtime 1.30.0, CPU, 2 threads",
    seed,
    training: {
      steps: 782,
      samples: SAMPLES,
      flops: 3.1e14,
      seconds: 300 + seed,
      batchSize: 256,
      parameters: 1_234_567,
    },
    date: "2026-01-02T03:04:05.000Z",
  };
}

function curve(random: Random, skill: number, seconds: number): readonly CurvePoint[] {
  return Array.from({ length: 21 }, (_, i) => {
    const done = i / 20;
    const grown = 1 - Math.exp(-4 * done);
    return {
      step: Math.round(782 * done),
      samples: Math.round(SAMPLES * done),
      flops: 3.1e14 * done,
      seconds: seconds * done,
      values: {
        loss: 5.5 - 3.5 * grown + 0.1 * random.normal(),
        "loss/contrastive": 5.3 - 3.4 * grown + 0.1 * random.normal(),
        "new-style/top1": 0.04 + skill * grown + 0.015 * random.normal(),
        "retrieval/imageRecall1": 0.01 + 0.9 * skill * grown + 0.03 * random.normal(),
      },
    };
  });
}

/** Comparison of `methods` (the first is the baseline) on two tasks. */
export function createComparison({
  methods = ["InfoNCE", "Sigmoid", "Captioning"],
  seeds: count = 5,
}: FixtureOptions = {}): Comparison {
  const seeds = Array.from({ length: count }, (_, i) => i);
  const root = createRandom("report fixture");
  const runs = methods.flatMap((method, m) =>
    seeds.map((seed): MethodRun => {
      const random = root.split(m).split(seed);
      const skill = SKILL[m % SKILL.length]!;
      const row = (task: string, mainMetric: string, evaluation: BenchmarkRow["evaluation"]) => ({
        method,
        task,
        evaluator: task,
        mainMetric,
        evaluation,
        provenance: provenance(method, seed, task),
      });
      return {
        method,
        seed,
        rows: [
          row("new-style", "top1", classification(random, skill)),
          row("retrieval", "imageRecall1", retrieval(random, skill)),
        ],
        failed:
          m === 2
            ? [
                {
                  method,
                  task: "probe",
                  reason: "benchmark/run: data: expected a folder, got nothing (digits).",
                },
              ]
            : [],
        curve: curve(random, skill, 300 + 40 * m + seed),
        folder: `${m}-${seed}`,
      };
    }),
  );
  const means = meansOf(runs, methods);
  return {
    kind: "diptych-comparison",
    version: 1,
    title: `${methods.join(", ")} on coloured shapes`,
    baseline: methods[0]!,
    methods,
    seeds,
    budget: { kind: "samples", amount: SAMPLES },
    runs,
    means,
    tests: testsOf(means, methods[0]!),
    incomparable: methods[2]
      ? [
          {
            method: methods[2],
            baseline: methods[0]!,
            task: "retrieval",
            reasons: ["They ran in fp32 and bf16.", "Pictures are 32 and 48 pixels wide."],
          },
        ]
      : [],
    conclusion: [
      `On new-style, ${methods[1] ?? methods[0]!} is better than ${methods[0]!} by 6 points of top-1 (95 % interval 3 to 9; p = 0.004 after correction for 3 tests).`,
      "On retrieval, these seeds and items do not decide between the two.",
      "This says nothing about larger budgets, other data or other models.",
    ],
  };
}

/** Of two metrics of the first task, as a comparison gives them: not only of the main one. */
const MEASURED = [
  ["new-style", "top1"],
  ["new-style", "top5"],
  ["retrieval", "imageRecall1"],
] as const;

function meansOf(runs: readonly MethodRun[], methods: readonly string[]): readonly MethodMean[] {
  return MEASURED.flatMap(([task, metric]) =>
    methods.map((method) => {
      const rows = runs.filter((run) => run.method === method).flatMap((run) => run.rows);
      const values = rows
        .filter((row) => row.task === task)
        .map((row) => row.evaluation.metrics[metric]!.value);
      const middle = mean(values);
      const interval = { low: middle - 0.03, high: middle + 0.03, level: 0.95 };
      return { method, task, metric, mean: middle, interval, values };
    }),
  );
}

function testsOf(means: readonly MethodMean[], baseline: string): readonly PairedTest[] {
  return means.flatMap((one): readonly PairedTest[] => {
    const base = means.find(
      ({ task, metric, method }) =>
        task === one.task && metric === one.metric && method === baseline,
    )!;
    if (one.method === baseline) return [];
    const difference = one.mean - base.mean;
    const decided = Math.abs(difference) > 0.035;
    return [
      {
        method: one.method,
        baseline,
        task: one.task,
        metric: one.metric,
        difference,
        interval: { low: difference - 0.035, high: difference + 0.035, level: 0.95 },
        pSeeds: 0.004,
        pItems: decided ? 0.0002 : 0.31,
        pCorrected: decided ? 0.008 : 0.62,
        verdict: decided ? (difference > 0 ? "better" : "worse") : "undecided",
      },
    ];
  });
}

/** The same rows as a suite that was run on models which came from elsewhere. */
export function createSuite(): SuiteResult {
  const { runs, methods, means } = createComparison({ seeds: 1 });
  return {
    kind: "diptych-suite",
    version: 1,
    title: "Three models on two tasks",
    models: methods,
    tasks: ["new-style", "retrieval", "probe"],
    rows: runs.flatMap((run) =>
      run.rows.map((row) => ({
        ...row,
        provenance: {
          ...row.provenance,
          config: null,
          training: null,
          seed: null,
          trainData: null,
        },
      })),
    ),
    failed: runs.flatMap((run) => run.failed),
    means,
    incomparable: [],
    conclusion: ["Sigmoid leads on both tasks; its intervals overlap with those of InfoNCE."],
  };
}

const WORDS = [...Object.keys(COLOURS), ...SHAPES];

/** Embeddings in which colour and shape are directions: what a search for them should find is known. */
export function createSearch(pictures = ITEMS): ReportSearch {
  const dims = WORDS.length;
  const row = (words: readonly string[]): number[] => {
    const vector = WORDS.map((word) => (words.includes(word) ? 1 : 0.02));
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
  const chosen = Array.from({ length: pictures }, (_, i) => i % ITEMS);
  const phrases = [...NAMES, ...WORDS, "something round"];
  const texts = phrases.map((phrase) =>
    row(phrase === "something round" ? ["circle"] : phrase.split(" ")),
  );
  const tensor = (rows: readonly number[][]): ReportSearch["imageEmbeddings"] => ({
    dtype: "float32",
    shape: [rows.length, dims],
    data: Float32Array.from(rows.flat()),
  });
  return {
    label: "Sigmoid, seed 0",
    pictures: chosen.map((sample) => {
      const name = NAMES[Math.floor(sample / PER_CLASS)] ?? "";
      return { name, image: pictureOf(sample) };
    }),
    imageEmbeddings: tensor(
      chosen.map((sample) => row(NAMES[Math.floor(sample / PER_CLASS)]!.split(" "))),
    ),
    phrases,
    textEmbeddings: tensor(texts),
    words: "mean",
  };
}
