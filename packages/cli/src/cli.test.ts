/** The command as a user runs it: a child process on small pictures made here. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { squaresConfig, writeSquares } from "./coloured-squares.test-support.js";

const BIN = fileURLToPath(new URL("../bin/diptych.js", import.meta.url));
const SECONDS = 1000;
/** Each key that is there becomes a column of its table. */
const CLIP_BENCHMARK_KEYS = ["dataset", "model", "pretrained", "task", "metrics", "language"];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-cli-"));
  await makeData();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const COLOURS = ["red", "green", "blue", "white", "black", "yellow", "purple", "cyan"];

/** Eight plain pictures with captions. */
async function makeData(): Promise<void> {
  await writeSquares(folder, COLOURS);
  await writeConfig("config.json", {});
}

async function writeConfig(name: string, changes: Record<string, unknown>): Promise<string> {
  const config = squaresConfig({
    schedule: { type: "cosine", learningRate: 0.01 },
    training: { steps: 12, batchSize: 4, checkpointEvery: 1, logEvery: 1, ema: 0.9 },
    evaluators: [
      { evaluator: { type: "retrieval" }, dataset: { type: "jsonl", path: "set.jsonl" } },
    ],
    ...changes,
  });
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(config));
  return path;
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function diptych(...args: string[]): Promise<Outcome> {
  const run = promisify(execFile);
  try {
    const { stdout, stderr } = await run(process.execPath, [BIN, ...args], { cwd: folder });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

/** Starts a run and sends `signal` once its log shows `step`. */
async function interruptAt(
  step: number,
  signal: NodeJS.Signals,
  args: readonly string[],
  out: string,
): Promise<Outcome> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  const log = join(out, "log.jsonl");
  while (child.exitCode === null) {
    const text = existsSync(log) ? await readFile(log, "utf8") : "";
    if (text.includes(`"step":${step},`)) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill(signal);
  return { code: await ended, stdout, stderr };
}

const weights = (out: string): Promise<Buffer> => readFile(join(out, "model", "model.safetensors"));

describe("diptych train", () => {
  it(
    "gives the same weights, bit for bit, after kill -9 or Ctrl-C and --resume",
    async () => {
      // Long enough that the signal comes in the middle.
      const config = await writeConfig("long.json", {
        training: { steps: 300, batchSize: 4, checkpointEvery: 7, logEvery: 1, ema: 0.9 },
      });
      const whole = join(folder, "whole");
      const first = await diptych("train", config, "--out", whole);
      expect(first, first.stderr).toMatchObject({ code: 0 });
      for (const signal of ["SIGKILL", "SIGINT"] as const) {
        const out = join(folder, signal);
        const stopped = await interruptAt(23, signal, ["train", config, "--out", out], out);
        expect(existsSync(join(out, "model"))).toBe(false);
        if (signal === "SIGINT") {
          expect(stopped.stdout).toContain("--resume");
          expect(stopped.stderr).toContain("saving a checkpoint");
        }
        const resumed = await diptych("train", config, "--out", out, "--resume");
        expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
        expect(resumed.stderr).toContain("Going on from step");
        expect((await weights(out)).equals(await weights(whole)), signal).toBe(true);
        const steps = (await readFile(join(out, "log.jsonl"), "utf8")).match(/"event":"step"/g);
        expect(steps).toHaveLength(300);
      }
    },
    120 * SECONDS,
  );

  it(
    "trains, evaluates, refuses a folder with a run, and is measured and inspected again",
    async () => {
      const out = join(folder, "run");
      const trained = await diptych("train", "config.json", "--out", out);
      expect(trained, trained.stderr).toMatchObject({ code: 0 });
      expect(trained.stdout).toContain("imageToText/recall@1");
      const again = await diptych("train", "config.json", "--out", out);
      expect(again.code).toBe(1);
      expect(again.stderr).toMatch(/a run of 12 steps\. Add --resume/);
      await writeFile(
        join(folder, "benchmarks.yaml"),
        "evaluators: [{ evaluator: { type: retrieval }, dataset: { type: jsonl, path: set.jsonl } }]",
      );
      const measured = await diptych(
        "eval",
        join(out, "model"),
        "--config",
        "benchmarks.yaml",
        "--json",
        "results",
        "--as",
        "tiny,seed0",
      );
      expect(measured, measured.stderr).toMatchObject({ code: 0 });
      const file = "jsonl-set.jsonl_seed0_tiny_en_zeroshot_retrieval.json";
      expect(measured.stdout).toContain(`Written: ${join("results", file)}`);
      const result: unknown = JSON.parse(await readFile(join(folder, "results", file), "utf8"));
      expect(Object.keys(result as object)).toEqual(CLIP_BENCHMARK_KEYS);
      expect(result).toMatchObject({
        model: "tiny",
        metrics: { "image_retrieval_recall@5": expect.any(Number) as number },
      });
      const details = await readFile(join(folder, "results", "details", file), "utf8");
      expect(JSON.parse(details)).toMatchObject({
        model: { weights: expect.stringMatching(/^[0-9a-f]{64}$/) as string, step: 12 },
        task: { data: { type: "jsonl" }, metrics: { "textToImage/recall@5": {} } },
      });
      const asFile = await diptych("eval", join(out, "model"), "--json", "results.json");
      expect(asFile.stderr).toMatch(/--json: expected a folder, got the file results\.json/);
      const inspected = await diptych("inspect", join(out, "model"));
      expect(inspected.stdout).toMatch(/visual\.layer1.*\d/);
      expect((await diptych("inspect", "config.json")).stdout).toContain("token_embedding");
    },
    60 * SECONDS,
  );

  it(
    "refuses a second run in a folder in use",
    async () => {
      const config = await writeConfig("endless.json", {
        training: { steps: 1_000_000, batchSize: 4, logEvery: 1 },
      });
      const out = join(folder, "busy");
      let second: Outcome | undefined;
      const child = spawn(process.execPath, [BIN, "train", config, "--out", out], { cwd: folder });
      const ended = new Promise((resolve) => child.on("exit", resolve));
      try {
        while (!existsSync(join(out, "log.jsonl")))
          await new Promise((resolve) => setTimeout(resolve, 20));
        second = await diptych("train", config, "--out", out);
      } finally {
        child.kill("SIGKILL");
        await ended;
      }
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/in use|process \d+/);
    },
    60 * SECONDS,
  );
});

describe("bad input", () => {
  const cases: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
    [
      "a missing file",
      async () => "nothing.json",
      /expected a configuration file, got nothing there/,
    ],
    [
      "several typos, all at once",
      () => writeConfig("typos.json", { optimiser: { type: "adamw" }, loss: { type: "infonce" } }),
      /2 problems:[\s\S]*optimiser: unknown key\. Did you mean "optimizer"\?[\s\S]*loss\.type: .*Did you mean "info-nce"\?/,
    ],
    [
      "an unknown plugin module",
      () => writeConfig("plugin.json", { plugins: ["no-such-package"] }),
      /expected a module "no-such-package"/,
    ],
    [
      "a patch size that does not divide the image",
      () =>
        writeConfig("patch.json", {
          model: {
            embedDim: 8,
            encoders: {
              image: { type: "vit", imageSize: 16, patchSize: 5, width: 16, layers: 1, heads: 2 },
              text: { type: "bag-of-words", width: 8 },
            },
          },
        }),
      /model\.encoders\.image.*patchSize.*5/s,
    ],
    [
      "an empty data set",
      async () => {
        await writeFile(join(folder, "empty.jsonl"), "\n");
        return writeConfig("empty.json", {
          data: { train: { type: "jsonl", path: "empty.jsonl" } },
        });
      },
      /empty\.jsonl.*expected/s,
    ],
    [
      "a corrupt image",
      async () => {
        await writeFile(join(folder, "bad.png"), "no picture");
        const line = JSON.stringify({ image: "bad.png", caption: "a bad one" });
        await writeFile(
          join(folder, "bad.jsonl"),
          Array.from({ length: 4 }, () => line).join("\n"),
        );
        return writeConfig("bad.json", { data: { train: { type: "jsonl", path: "bad.jsonl" } } });
      },
      /bad\.png/,
    ],
    [
      "a text longer than the context",
      async () => {
        const line = JSON.stringify({ image: "red.png", caption: "one two three four five six" });
        await writeFile(
          join(folder, "wordy.jsonl"),
          Array.from({ length: 4 }, () => line).join("\n"),
        );
        return writeConfig("wordy.json", {
          data: { train: { type: "jsonl", path: "wordy.jsonl" } },
          tokenizer: { type: "words", contextLength: 4 },
        });
      },
      /at most 4 ids, got 6 .*one two three.*truncate/s,
    ],
    [
      "a loss that is no number",
      () =>
        writeConfig("nan.json", {
          schedule: { type: "constant", learningRate: 1e30 },
          training: { steps: 12, batchSize: 4, clipNorm: null },
        }),
      /expected finite numbers, got loss (NaN|Infinity|-?\d).*learning rate 1e\+30/s,
    ],
  ];

  it.each(cases)(
    "%s",
    async (name, config, message) => {
      const path = await config();
      const outcome = await diptych(
        "train",
        path,
        "--out",
        join(folder, `bad-${name.replace(/\W/g, "-")}`),
      );
      expect(outcome.stderr).toMatch(message);
      expect(outcome.stderr).not.toMatch(/^\s+at /m);
      expect(outcome.code).toBe(1);
    },
    30 * SECONDS,
  );

  it("names the nearest command and teaches --help", async () => {
    const unknown = await diptych("trian");
    expect(unknown.stderr).toContain("Did you mean train?");
    const help = await diptych("train", "--help");
    expect(help.stdout).toContain("--resume");
    expect(help.stdout).toContain("Examples:");
  });

  it(
    "a checkpoint of another model, and a truncated one",
    async () => {
      const out = join(folder, "other");
      expect((await diptych("train", "config.json", "--out", out)).code).toBe(0);
      const wider = await writeConfig("wider.json", {
        model: {
          embedDim: 8,
          encoders: {
            image: { type: "compact-resnet", imageSize: 16, stemWidth: 4, widths: [4, 16] },
            text: { type: "bag-of-words", width: 8 },
          },
        },
        training: { steps: 20, batchSize: 4, checkpointEvery: 1, ema: 0.9 },
      });
      const refused = await diptych("train", wider, "--out", out, "--resume");
      expect(refused.stderr).toMatch(/other shape .*visual\.layer2/);
      const file = join(out, "model", "model.safetensors");
      const bytes = await readFile(file);
      await mkdir(join(folder, "cut"), { recursive: true });
      await writeFile(
        join(folder, "cut", "model.safetensors"),
        bytes.subarray(0, bytes.length - 9),
      );
      await writeFile(
        join(folder, "cut", "diptych.json"),
        await readFile(join(out, "model", "diptych.json")),
      );
      expect((await diptych("eval", join(folder, "cut"))).stderr).toContain("truncated");
    },
    60 * SECONDS,
  );
});
