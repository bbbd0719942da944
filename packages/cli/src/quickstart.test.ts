/** The quickstart and the example plugin, in their tiny modes. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BIN = join(ROOT, "packages/cli/bin/diptych.js");
const TIMEOUT = 120_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "diptych-quickstart-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function diptych(...args: string[]): Promise<string> {
  const env = { ...process.env, DIPTYCH_CACHE: join(folder, "cache") };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [BIN, ...args], {
    cwd: ROOT,
    env,
  });
  return stdout + stderr;
}

it(
  "the quickstart trains both configurations, measures, and writes one page of them",
  async () => {
    const out = join(folder, "quickstart");
    const first = await diptych("quickstart", "--tiny", "--out", out);
    expect(first).toContain("first guess right");
    await diptych("quickstart", "--tiny", "--out", out, "--config", "configs/emoji-clip.ts");
    const result = JSON.parse(await readFile(join(out, "result.json"), "utf8")) as Record<
      string,
      unknown
    >;
    const share = expect.any(Number) as number;
    expect(result).toEqual({
      heldOutStyle: {
        top1: share,
        top5: share,
        queries: share,
        candidates: 60,
        chance: 1 / 60,
        pixelTop1: share,
      },
      heldOutConcepts: {
        queries: share,
        among224: { top1: share, top5: share },
        amongAll: { top1: share, top5: share },
      },
      seconds: share,
      renderSeconds: share,
      images: 20 * 8 * 2,
      steps: 20,
      params: share,
      backend: expect.stringContaining("ONNX Runtime") as string,
      precision: "fp32",
      skippedSteps: 0,
      seed: 0,
    });
    const page = await readFile(join(out, "report.html"), "utf8");
    expect(page).toContain("emoji-quickstart");
    expect(page).toContain("emoji-clip");
    expect(page.match(/<svg/g)?.length).toBeGreaterThanOrEqual(2);
    expect(page).toContain("data:image/png;base64,");
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);

    const again = await diptych("quickstart", "--tiny", "--out", out);
    expect(again).toContain("A trained model exists");
    expect(again).toContain("--yes");
    const further = await diptych(
      "quickstart",
      "--tiny",
      "--out",
      out,
      "--yes",
      "--set",
      "training.steps=24",
      "--set",
      "training.precision=mixed-bf16",
      "--set",
      "training.rematerialise=true",
    );
    expect(further).toContain("Going on from step 20");
    expect(further).toContain("made in fp32; training goes on in mixed-bf16");
    expect(further).toContain("bfloat16 in float32 between two casts");
    const mixed: unknown = JSON.parse(await readFile(join(out, "result.json"), "utf8"));
    expect(mixed).toMatchObject({ steps: 24, precision: "mixed-bf16", skippedSteps: 0 });
    expect(await readFile(join(out, "report.html"), "utf8")).toContain("mixed-bf16, seed");
  },
  TIMEOUT,
);

it(
  "the example plugin, outside the packages, is trained by its configuration",
  async () => {
    const config = "examples/color-grid/config.ts";
    const text = await diptych("train", config, "--tiny", "--out", join(folder, "color-grid"));
    expect(text).toContain("Trained 5 steps");
    expect(await diptych("plugins", "--config", config)).toContain("mean colours of a grid");
    expect(await diptych("inspect", config)).toContain("visual.hidden");
  },
  TIMEOUT,
);
