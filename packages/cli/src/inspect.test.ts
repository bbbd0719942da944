/** `diptych inspect` of the paper's nine models: the table as a user sees it. */
import { describe, expect, it } from "vitest";
import { OPEN_CLIP_MODEL_NAMES } from "diptych";
import { runDiptych } from "./paper-configs.test-support.js";

const PARAMETERS: Readonly<Record<string, string>> = {
  RN50: "102.01",
  RN101: "119.69",
  RN50x4: "178.30",
  RN50x16: "290.98",
  RN50x64: "623.26",
  "ViT-B-32": "151.28",
  "ViT-B-16": "149.62",
  "ViT-L-14": "427.62",
  "ViT-L-14-336": "427.94",
};

describe("diptych inspect", () => {
  it.each(OPEN_CLIP_MODEL_NAMES)(
    "%s: parameters as published, FLOPs within a hundredth",
    async (name) => {
      const { code, stdout, stderr } = await runDiptych(["inspect", name]);
      expect(code, stderr).toBe(0);
      const total = /^total +([\d,]+).* (\d+\.\d\d) M, (\d+\.\d\d) G$/m.exec(stdout);
      expect(total?.[2]).toBe(PARAMETERS[name]);
      expect((Number(total?.[1]?.replaceAll(",", "")) / 1e6).toFixed(2)).toBe(PARAMETERS[name]);
      const distance = /GFLOPs, (-?\d+\.\d+) % from the published/.exec(stdout)?.[1];
      expect(Math.abs(Number(distance))).toBeLessThan(1);
      expect(stdout).toMatch(
        /^visual\.(layer4\.2|transformer\.resblocks\.11) +[\d,]+ .*[MG] .*[MG]B$/m,
      );
    },
    30_000,
  );

  it("prints JSON, for a batch and by levels of names", async () => {
    const { stdout } = await runDiptych(["inspect", "RN50", "--json", "--batch", "2", "-d", "2"]);
    const cost = JSON.parse(stdout) as {
      batch: number;
      towers: { blocks: { name: string }[] }[];
    };
    expect(cost.batch).toBe(2);
    expect(cost.towers[0]?.blocks.map(({ name }) => name)).toContain("visual.layer1");
    const wrong = await runDiptych(["inspect", "RN50", "--batch", "0"]);
    expect(wrong.stderr).toContain("Expected a whole number from 1.");
  }, 30_000);

  it("of a public checkpoint, from its own configuration", async () => {
    const { stdout, stderr } = await runDiptych([
      "inspect",
      "packages/diptych/fixtures/models/vit-gelu",
    ]);
    expect(stdout, stderr).toMatch(/visual\.transformer\.resblocks\.0 .*image tower/s);
  }, 30_000);
});
