import { appendFile, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { differences } from "./differences.js";
import { addMeasured, readCurve } from "./run-curve.js";
import { claimRun, type RunIdentity } from "./run-identity.js";

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "diptych-run-"));
const asked: RunIdentity = {
  method: "a",
  seed: 1,
  config: { loss: { type: "info-nce", between: ["image", "text"] }, seed: 1 },
  evaluators: [{ evaluator: { type: "knn" }, name: undefined }],
  content: { train: "f00", evaluators: { knn: { data: "aaa", trainData: null } } },
  evaluateAt: [2, 4],
  version: "0.1.0",
};

describe("a run's folder", () => {
  it("is claimed once, and again for the same run", async () => {
    const folder = await newFolder();
    await claimRun(folder, asked);
    const before = await readFile(join(folder, "asked.json"), "utf8");
    await claimRun(folder, structuredClone(asked));
    expect(await readFile(join(folder, "asked.json"), "utf8")).toBe(before);
  });
  it("refuses another run, naming what is otherwise", async () => {
    const folder = await newFolder();
    await claimRun(folder, asked);
    const config = { ...asked.config, loss: { type: "sigmoid", between: ["image", "text"] } };
    await expect(claimRun(folder, { ...asked, config, evaluateAt: [2] })).rejects.toThrow(
      /got one with config\.loss\.type: "info-nce" → "sigmoid"; evaluateAt\.1: 4 → nothing\. Choose another --out/,
    );
  });
});

describe("differences", () => {
  it("are paths with what was and is", () => {
    expect(differences({ a: 1, b: [1, 2] }, { a: 1, b: [1, 3], c: null })).toEqual([
      "b.1: 2 → 3",
      "c: nothing → null",
    ]);
    expect(differences("x", "x")).toEqual([]);
    expect(differences({ text: "a".repeat(90) }, { text: "b" })[0]).toHaveLength(6 + 38 + 3 + 3);
  });
});

describe("a curve", () => {
  const step = (at: number, loss: number): string =>
    `${JSON.stringify({ event: "step", step: at - 1, loss, metrics: { accuracy: 0.5 }, trainingSeconds: at / 10 })}\n`;

  it("holds losses and what was measured, at the cost of their steps", async () => {
    const folder = await newFolder();
    await appendFile(join(folder, "log.jsonl"), step(1, 4) + step(3, 3) + step(5, 2));
    await addMeasured(folder, { step: 3, values: { "task/top1": 0.1 } });
    await addMeasured(folder, { step: 4, values: { "task/top1": 0.2 } });
    const curve = await readCurve(folder, { samples: 10, flops: 7 });
    expect(curve).toEqual([
      { step: 1, samples: 10, flops: 7, seconds: 0.1, values: { loss: 4, "loss/accuracy": 0.5 } },
      {
        step: 3,
        samples: 30,
        flops: 21,
        seconds: expect.closeTo(0.3, 9) as number,
        values: { loss: 3, "loss/accuracy": 0.5, "task/top1": 0.1 },
      },
      {
        step: 4,
        samples: 40,
        flops: 28,
        seconds: expect.closeTo(0.3, 9) as number,
        values: { "task/top1": 0.2 },
      },
      {
        step: 5,
        samples: 50,
        flops: 35,
        seconds: expect.closeTo(0.5, 9) as number,
        values: { loss: 2, "loss/accuracy": 0.5 },
      },
    ]);
  });
  it("forgets what a resumed run measures again", async () => {
    const folder = await newFolder();
    for (const at of [2, 4, 6]) await addMeasured(folder, { step: at, values: { "t/m": at } });
    await addMeasured(folder, { step: 4, values: { "t/m": 40 } });
    const curve = await readCurve(folder, { samples: 1, flops: 1 });
    expect(curve.map(({ step: at, values }) => [at, values["t/m"]])).toEqual([
      [2, 2],
      [4, 40],
    ]);
  });
  it("keeps about a hundred losses of a long run, the last among them", async () => {
    const folder = await newFolder();
    const lines = Array.from({ length: 1000 }, (_, i) => step(i + 1, i)).join("");
    await appendFile(join(folder, "log.jsonl"), lines);
    const curve = await readCurve(folder, { samples: 1, flops: 1 });
    expect(curve.length).toBeLessThanOrEqual(101);
    expect(curve.at(-1)?.values["loss"]).toBe(999);
    expect(curve.at(-1)?.seconds).toBeCloseTo(100, 6);
  });
});
