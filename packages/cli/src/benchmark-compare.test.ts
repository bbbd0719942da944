/** `diptych benchmark compare` as a user runs it: two methods under two seeds, going on, refusals, a method that fails. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Comparison } from "@diptych/benchmark";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { squaresConfig, writeSquares } from "./coloured-squares.test-support.js";
import { BIN, runDiptych, type Outcome } from "./paper-configs.test-support.js";

const BUDGET = "--budget=samples=40";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-compare-"));
  await writeSquares(folder, ["red", "green", "blue", "white", "black", "yellow"]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function writeMethod(
  name: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const path = join(folder, `${name}.json`);
  const evaluators = [
    { evaluator: { type: "retrieval" }, dataset: { type: "jsonl", path: "set.jsonl" } },
  ];
  const training = { epochs: 90, batchSize: 4, logEvery: 1 };
  const config = squaresConfig({ name, training, evaluators, ...changes });
  await writeFile(path, JSON.stringify(config));
  return path;
}

function compare(...args: string[]): Promise<Outcome> {
  return runDiptych(["benchmark", "compare", ...args]);
}

async function readComparison(out: string): Promise<Comparison> {
  return JSON.parse(await readFile(join(out, "comparison.json"), "utf8")) as Comparison;
}

describe("diptych benchmark compare", () => {
  it("gives all the same budget and seeds, keeps what is done, refuses what has changed", async () => {
    const out = join(folder, "out");
    const files = [await writeMethod("first"), await writeMethod("second")];
    const args = [...files, BUDGET, "--seeds", "3,1", "--out", out];
    const done = await compare(...args);
    expect(done.code, done.stderr).toBe(0);
    const { runs, baseline, seeds, conclusion } = await readComparison(out);
    expect(baseline).toBe("first");
    expect(seeds).toEqual([3, 1]);
    expect(runs.map(({ method, seed }) => `${method} ${seed}`)).toEqual([
      "first 3",
      "second 3",
      "first 1",
      "second 1",
    ]);
    for (const run of runs) {
      const { training, seed } = run.rows[0]!.provenance;
      expect(training).toMatchObject({ steps: 10, samples: 40, batchSize: 4 });
      expect(seed).toBe(run.seed);
      expect(run.curve.at(-1)).toMatchObject({ step: 10, samples: 40 });
    }
    // Configurations that differ in name alone are one method: equal seeds, equal weights.
    const weights = runs.map(({ rows }) => rows[0]!.provenance.weights);
    expect(weights[0]).toBe(weights[1]);
    expect(weights[2]).not.toBe(weights[0]);
    expect(done.stdout).toContain(conclusion[0]);
    for (const file of ["report.html", "report.md", "report.csv"]) {
      expect(existsSync(join(out, file)), file).toBe(true);
    }

    // A run without its result goes on from its checkpoint; the others stay as they are.
    const kept = join(out, "runs/first-seed3/result.json");
    const before = (await stat(kept)).mtimeMs;
    await rm(join(out, "runs/second-seed1/result.json"));
    const again = await compare(...args);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr.match(/was there/g)).toHaveLength(3);
    expect((await stat(kept)).mtimeMs).toBe(before);
    expect((await readComparison(out)).runs[3]!.rows[0]!.provenance.weights).toBe(weights[3]);

    await writeMethod("second", { optimizer: { type: "adamw", weightDecay: 0.5 } });
    const changed = await compare(...args);
    expect(changed.code).toBe(1);
    expect(changed.stderr).toMatch(/second-seed3.*config\.optimizer/);

    // Another caption under the same path is other data.
    await writeMethod("second");
    const set = join(folder, "set.jsonl");
    const given = await readFile(set, "utf8");
    await writeFile(set, given.replace("a red square", "a crimson square"));
    const other = await compare(...args);
    await writeFile(set, given);
    expect(other.stderr).toMatch(/first-seed3.*content\.train: "[0-9a-f]+… → "[0-9a-f]+…/);
    expect(other.code).toBe(1);
  }, 180_000);

  it.runIf(process.platform !== "win32")(
    "saves at Ctrl-C, and goes on with the same command",
    async () => {
      const out = join(folder, "stopped");
      const files = [await writeMethod("first"), await writeMethod("third", { seed: 9 })];
      const args = [...files, "--budget=samples=2000", "--seeds", "1", "--out", out];
      const child = spawn(process.execPath, [BIN, "benchmark", "compare", ...args]);
      let stderr = "";
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      const log = join(out, "runs/first-seed0/log.jsonl");
      const steps = async (): Promise<number> =>
        existsSync(log) ? (await readFile(log, "utf8")).split("\n").length : 0;
      while ((await steps()) < 40 && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 20));
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGINT");
      expect(await ended, stderr).toBe(130);
      expect(existsSync(join(out, "comparison.json"))).toBe(false);
      const again = await compare(...args);
      expect(again.code, again.stderr).toBe(0);
      expect(again.stderr).toMatch(/Going on from step \d+/);
      const [run] = (await readComparison(out)).runs;
      expect(run?.rows[0]?.provenance.training?.steps).toBe(500);
    },
    120_000,
  );

  it("turns seconds into as many steps under every seed, and goes on with them", async () => {
    const out = join(folder, "timed");
    const files = [await writeMethod("first"), await writeMethod("second")];
    const args = [...files, "--budget=seconds=0.3", "--seeds", "2", "--out", out];
    const done = await compare(...args);
    expect(done.code, done.stderr).toBe(0);
    const stepsOf = async (): Promise<readonly (readonly [string, number])[]> =>
      (await readComparison(out)).runs.map(({ method, rows }) => [
        method,
        rows[0]!.provenance.training!.steps,
      ]);
    const steps = await stepsOf();
    expect(steps.slice(2)).toEqual(steps.slice(0, 2));
    expect(Math.min(...steps.map(([, count]) => count))).toBeGreaterThan(3);
    const { runs } = await readComparison(out);
    for (const { curve, rows } of runs) {
      // Measured along the run, and at its end with the seconds that it took.
      const measured = curve.filter(({ values }) => "retrieval/meanRecall@1" in values);
      expect(measured.length).toBeGreaterThan(3);
      expect(rows[0]!.provenance.training!.seconds).toBe(curve.at(-1)!.seconds);
      expect(curve.at(-1)!.seconds).toBeGreaterThan(0);
    }
    const again = await compare(...args);
    expect(again.stderr.match(/was there/g)).toHaveLength(4);
    expect(await stepsOf()).toEqual(steps);
  }, 120_000);

  it("tells of a method that fails, and finishes the other", async () => {
    const out = join(folder, "failing");
    const optimizer = { type: "sgd" };
    const schedule = { type: "constant", learningRate: 1e30 };
    const bad = await writeMethod("bad", { optimizer, schedule });
    const args = [await writeMethod("good"), bad, BUDGET, "--seeds", "1", "--out", out];
    const { code, stderr } = await compare(...args);
    expect(code, stderr).toBe(1);
    const [good, failed] = (await readComparison(out)).runs;
    expect(good?.rows).toHaveLength(1);
    expect(failed?.rows).toHaveLength(0);
    expect(failed?.failed[0]).toMatchObject({ method: "bad", task: "retrieval" });
    expect(failed?.failed[0]?.reason).toMatch(/finite/);
  }, 120_000);

  it("names what cannot be before it trains", async () => {
    const files = [await writeMethod("first"), await writeMethod("other")];
    const none = await compare(...files, BUDGET, "--seeds", "0");
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining("seeds: expected at least one"),
    ]);
    const small = await compare(...files, "--budget", "samples=3");
    expect(small.stderr).toMatch(/at least one step, 4 pictures/);
    const unknown = await compare(...files, "--budget", "epochs=3");
    expect(unknown.stderr).toContain("samples=200k, flops=2e15 or seconds=120");
    const plan = await compare(...files, "--budget", "samples=1k", "--seeds", "2", "--dry-run");
    expect(plan.stdout).toMatch(/^first +250 +1,000 /m);
  }, 120_000);
});
