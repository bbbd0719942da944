/** The paper's configurations: what they say, one tiny run of each family, and what they refuse. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measureConfig, measurePaperModel, openConfigFile, paperModelName } from "diptych";
import { describe, expect, it } from "vitest";
import {
  inFolder,
  PAPER_ROWS,
  runDiptych,
  TINY_LIMIT,
  trainTiny,
} from "./paper-configs.test-support.js";

const file = (name: string): string =>
  fileURLToPath(new URL(`../../../configs/clip-${name}.ts`, import.meta.url));

describe.each(PAPER_ROWS)("configs/clip-$name", ({ name, learningRate, epochs, family }) => {
  it("has the paper's hyper-parameters", async () => {
    const { config } = await openConfigFile(file(name));
    expect(config.plain).toMatchObject({
      name: `clip-${name}`,
      model: { logitScale: { initial: 1 / 0.07, max: 100 } },
      data: { train: { type: "jsonl" } },
      loss: { type: "info-nce" },
      optimizer: {
        type: "adamw",
        weightDecay: 0.2,
        betas: family === "vit" ? [0.9, 0.98] : [0.9, 0.999],
        epsilon: family === "vit" ? 1e-6 : 1e-8,
      },
      schedule: { type: "cosine", learningRate, warmupSteps: 2000 },
      training: { epochs, batchSize: 32768, clipNorm: null },
    });
  });

  it("is the paper's model", async () => {
    const cost = await measureConfig(await openConfigFile(file(name)));
    const paper = measurePaperModel(paperModelName(name)!);
    expect(cost.parameters).toBe(paper.parameters);
    expect(cost.flops).toBe(paper.flops);
  });
});

describe("npx diptych train", () => {
  it.each(["rn50", "vit-b-32"])(
    "configs/clip-%s.ts --tiny",
    async (name) => {
      const { milliseconds, ...outcome } = await trainTiny(name);
      expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
      expect(outcome.stdout).toMatch(/Trained 10 steps .* the last loss was \d\.\d+/);
      expect(milliseconds).toBeLessThan(TINY_LIMIT);
    },
    2 * TINY_LIMIT,
  );

  it("says which data are missing", async () => {
    await inFolder(async (folder) => {
      const args = ["train", "configs/clip-rn50.ts", "--out", join(folder, "run")];
      const { code, stderr } = await runDiptych(args);
      expect(code).toBe(1);
      expect(stderr).toMatch(/pairs\.jsonl: expected a readable file, got none.*check `path`/);
    });
  }, 30_000);

  it("refuses a step that does not fit, before it is compiled, with the estimate", async () => {
    await inFolder(async (folder) => {
      const pairs = join(folder, "pairs.jsonl");
      await writeFile(pairs, '{"image": "a.png", "caption": "a"}\n');
      const args = ["train", "configs/clip-vit-b-32.ts", "--set", `data.train.path=${pairs}`];
      const { code, stderr } = await runDiptych([...args, "--out", join(folder, "run")], {
        DIPTYCH_MEMORY_LIMIT: "64GB",
      });
      expect(code).toBe(1);
      expect(stderr).toMatch(/fits into 64\.00 GB, got one of about 1\.\d+ TB/);
      expect(stderr).toMatch(/optimizer 1\.82 GB, gradients 605\.1 MB/);
      expect(stderr).toMatch(/Lower training\.batchSize to \d+ or less \(now 32768\)/);
    });
  }, 30_000);
});
