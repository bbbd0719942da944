/** Each method of figure 2 in its tiny mode: trained, saved, measured. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { FIGURE2_METHODS } from "./figure2-configs.test-support.js";
import { inFolder, runDiptych } from "./paper-configs.test-support.js";

it.each(FIGURE2_METHODS)(
  "configs/figure2/$name --tiny",
  async ({ name }) => {
    await inFolder(async (folder) => {
      const args = ["train", `configs/figure2/${name}.ts`, "--tiny", "--out", join(folder, "run")];
      const outcome = await runDiptych(args);
      expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
      expect(outcome.stdout).toMatch(/Trained 4 steps/);
      expect(outcome.stdout).toMatch(/top1 +[01]\.\d+/);
    });
  },
  120_000,
);
