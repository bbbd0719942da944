/** `diptych benchmark run` as a user runs it: two models on squares, a task without data, going on, typos. */
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SuiteResult } from "@diptych/benchmark";
import { openConfig, train } from "diptych";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { squaresConfig, writeSquares } from "./coloured-squares.test-support.js";
import { runDiptych, type Outcome } from "./paper-configs.test-support.js";

const SECONDS = 1000;
let folder: string;
let models: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-suite-"));
  await writeSquares(folder, ["red", "green", "blue", "white", "black", "yellow"]);
  models = [await trainModel("one", 0), await trainModel("two", 1)];
  await writeSuite({});
}, 60 * SECONDS);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function trainModel(name: string, seed: number): Promise<string> {
  const raw = squaresConfig({ name, seed, training: { steps: 3, batchSize: 4 } });
  const opened = await openConfig(raw as never, { baseDir: folder });
  const { modelPath } = await train({ opened, out: join(folder, name) });
  return modelPath!;
}

const squares = {
  name: "squares",
  evaluator: { type: "retrieval", recallK: [1, 2] },
  dataset: { type: "jsonl", path: "set.jsonl" },
};
const gone = { ...squares, name: "gone", dataset: { type: "jsonl", path: "gone.jsonl" } };

const suitePath = (): string => join(folder, "suite.json");

async function writeSuite(changes: Readonly<Record<string, unknown>>): Promise<void> {
  const suite = { name: "colours", tasks: [gone, squares], ...changes };
  await writeFile(suitePath(), JSON.stringify(suite));
}

function run(suite: string, ...args: string[]): Promise<Outcome> {
  return runDiptych(["benchmark", "run", suite, ...args]);
}

async function readResult(out: string): Promise<SuiteResult> {
  return JSON.parse(await readFile(join(out, "suite.json"), "utf8")) as SuiteResult;
}

describe("diptych benchmark run", () => {
  it("measures what it can, says what failed and why, and goes on where it was", async () => {
    const out = join(folder, "out");
    const first = await run(suitePath(), "--models", models.join(","), "--out", out);
    expect(first.code, first.stderr).toBe(1);
    expect(first.stdout).toMatch(/^gone +one +failed .*gone\.jsonl/m);
    expect(first.stdout).toMatch(/^squares +two +\S+ +[01]\.\d{4}/m);
    const result = await readResult(out);
    expect(result.rows.map(({ method, task }) => [method, task])).toEqual([
      ["one", "squares"],
      ["two", "squares"],
    ]);
    expect(result.failed.map(({ method, task }) => [method, task])).toEqual([
      ["one", "gone"],
      ["two", "gone"],
    ]);
    const { provenance } = result.rows[1]!;
    expect(provenance.seed).toBe(1);
    expect(provenance.weights).not.toBe(result.rows[0]!.provenance.weights);
    expect(provenance.testData.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(provenance.evaluator).toMatchObject({ type: "retrieval", recallK: [1, 2] });
    for (const file of ["report.html", "report.md", "report.csv"]) {
      expect(existsSync(join(out, file)), file).toBe(true);
    }
    const files = await readdir(join(out, "clip-benchmark"));
    expect(files.filter((file) => file.endsWith(".json"))).toHaveLength(2);

    // Data that is there now is measured; what was measured is not.
    await writeFile(join(folder, "gone.jsonl"), await readFile(join(folder, "set.jsonl")));
    const second = await run(suitePath(), "--models", models.join(","), "--out", out);
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toMatch(/one, squares: .*\(was there\)/);
    expect(second.stderr).toMatch(/one, gone: \S+ [01]\.\d{4}$/m);
    expect((await readResult(out)).rows).toHaveLength(4);

    // Another setting of the task is another measurement.
    const changed = { ...squares, evaluator: { type: "retrieval", recallK: [1, 3] } };
    await writeSuite({ tasks: [changed] });
    const third = await run(suitePath(), "--models", models.join(","), "--out", out, "--json");
    expect(third.code, third.stderr).toBe(0);
    expect(third.stderr).toMatch(/one, squares: measured again \(evaluator\.config\.recallK/);
    expect((JSON.parse(third.stdout) as SuiteResult).rows).toHaveLength(2);

    // And so is other data under the same name; data that is gone takes nothing away.
    const given = await readFile(join(folder, "set.jsonl"), "utf8");
    const models1 = ["--models", models[0]!];
    await writeFile(join(folder, "set.jsonl"), given.trimEnd().split("\n").slice(1).join("\n"));
    const fourth = await run(suitePath(), ...models1, "--out", out);
    expect(fourth.stderr).toMatch(/one, squares: measured again \(data: "[0-9a-f]+… → "[0-9a-f]+…/);
    await rm(join(folder, "set.jsonl"));
    const fifth = await run(suitePath(), ...models1, "--out", out);
    await writeFile(join(folder, "set.jsonl"), given);
    expect([fifth.code, fifth.stderr]).toEqual([0, expect.stringContaining("(was there)")]);
  }, 120_000);

  it("keeps what a task learned from, and measures it again where that changed", async () => {
    const out = join(folder, "learned");
    for (const name of ["red", "blue"]) {
      const from = join(folder, `${name}.png`);
      for (const set of ["shown", "asked"]) {
        await mkdir(join(folder, set, name), { recursive: true });
        await copyFile(from, join(folder, set, name, "1.png"));
      }
    }
    const dataset = (path: string): object => ({ type: "image-folder", path });
    const neighbours = {
      name: "neighbours",
      evaluator: { type: "knn", k: 1 },
      dataset: dataset("asked"),
      trainDataset: dataset("shown"),
    };
    await writeSuite({ tasks: [neighbours] });
    const measure = (): Promise<Outcome> => run(suitePath(), "--models", models[0]!, "--out", out);
    const first = await measure();
    expect(first.code, first.stderr).toBe(0);
    const { evaluator } = (await readResult(out)).rows[0]!.provenance;
    expect(evaluator).toMatchObject({
      trainDataset: { size: 2, fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    });
    expect((await measure()).stderr).toContain("(was there)");
    await copyFile(join(folder, "green.png"), join(folder, "shown", "red", "2.png"));
    expect((await measure()).stderr).toMatch(/measured again \(trainData: /);
  }, 120_000);

  it("says what is wrong before it measures", async () => {
    const typo = await run("emojy", "--models", models[0]!);
    expect([typo.code, typo.stderr]).toEqual([1, expect.stringContaining('Did you mean "emoji"?')]);
    const imagenet = await run("imagenet", "--models", models[0]!);
    expect(imagenet.stderr).toContain("--data imagenet=");
    await writeSuite({
      tasks: [
        { name: "a", evaluator: { type: "retrieval", recall: [1] }, dataset: { type: "jsonl" } },
      ],
    });
    const problems = await run(suitePath(), "--models", models[0]!);
    expect(problems.stderr).toMatch(/tasks\[0\]\.evaluator\.recall: unknown key/);
    expect(problems.stderr).toContain("tasks[0].dataset.path");
    await writeSuite({ tasks: [squares, squares] });
    const twice = await run(suitePath(), "--models", models[0]!);
    expect(twice.stderr).toContain('tasks[1].name: expected each name once, got "squares" twice');
    await writeSuite({});
    const missing = await run(suitePath(), "--models", `${models[0]},./no-model`);
    expect(missing.stderr).toContain("./no-model");
    expect(missing.stdout).toBe("");
  }, 120_000);
});
