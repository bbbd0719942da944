/** `diptych train` of a student: its teacher is found from the configuration's folder. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { squaresConfig, writeSquares } from "./coloured-squares.test-support.js";

const BIN = fileURLToPath(new URL("../bin/diptych.js", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-distil-"));
  await writeSquares(folder, ["red", "green", "blue", "white", "black", "yellow"]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function train(name: string, changes: Readonly<Record<string, unknown>>): Promise<string> {
  const config = join(folder, `${name}.json`);
  await writeFile(config, JSON.stringify(squaresConfig(changes)));
  const args = [BIN, "train", config, "--out", join(folder, "runs", name)];
  // From another folder than the configuration's.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: tmpdir() });
  return stdout;
}

it("trains a teacher and, from its model's folder, a student of another width", async () => {
  await train("teacher", {});
  const terms = [
    { loss: { type: "info-nce" } },
    { loss: { type: "distillation", teacher: "runs/teacher/model" } },
  ];
  const { model } = squaresConfig() as { model: { encoders: object } };
  const said = await train("student", {
    model: { embedDim: 6, encoders: model.encoders },
    loss: { type: "weighted-sum", terms },
  });
  expect(said).toMatch(/Trained 12 steps/);
  const log = await readFile(join(folder, "runs/student/log.jsonl"), "utf8");
  const [start, step] = log.split("\n").map((line) => (line ? JSON.parse(line) : {}) as object);
  expect(start).toMatchObject({ event: "start", teachers: [{ model: "runs/teacher/model" }] });
  expect(step).toHaveProperty(["metrics", "distillation/divergence"]);
}, 60_000);

it("says that there is no such teacher, and where it looked", async () => {
  const loss = { type: "distillation", teacher: "./runs/nobody/model" };
  await expect(train("orphan", { loss })).rejects.toMatchObject({
    stderr: expect.stringContaining(`Check the path from ${folder}`) as string,
  });
}, 60_000);
