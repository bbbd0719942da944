/** `diptych doctor` and `diptych compare-backends` as a user runs them. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { squaresConfig, writeSquares } from "./coloured-squares.test-support.js";
import { inFolder, runDiptych } from "./paper-configs.test-support.js";

const BIN = fileURLToPath(new URL("../bin/diptych.js", import.meta.url));

/** Four pictures and a configuration that trains on them. */
async function writeConfig(folder: string): Promise<string> {
  await writeSquares(folder, ["red", "green", "blue", "white"]);
  const path = join(folder, "config.json");
  await writeFile(path, JSON.stringify(squaresConfig()));
  return path;
}

describe("diptych doctor", () => {
  it("prints a table without colours where there is no terminal, and as JSON", async () => {
    const { code, stdout, stderr } = await runDiptych(["doctor", "--no-measure"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Diptych \d+\.\d+\.\d+ · Node /);
    expect(stdout).toMatch(/^Processor {2}/m);
    expect(stdout).toMatch(/^onnx\S* \* +ready/m);
    expect(stdout).toMatch(/^tfjs:wasm +ready/m);
    expect(stdout).toContain("* What runs use here.");
    expect(stdout).not.toContain("\u001b");
    const json = await runDiptych(["doctor", "--no-measure", "--json"], { FORCE_COLOR: "1" });
    const report = JSON.parse(json.stdout) as { healthy: boolean; backends: { type: string }[] };
    expect(report.healthy).toBe(true);
    expect(report.backends.map(({ type }) => type)).toEqual(["onnx", "tfjs"]);
  }, 60_000);

  it("ends with 1 where the default backend does not work", async () => {
    await inFolder(async (folder) => {
      const config = await writeConfig(folder);
      const set = ["--set", "backend.type=tfjs", "--set", "backend.engine=node-gpu"];
      const args = ["doctor", "--config", config, ...set, "--no-measure"];
      const { code, stdout } = await runDiptych(args, { DIPTYCH_NATIVE: join(folder, "none") });
      expect(code).toBe(1);
      expect(stdout).toMatch(/^tfjs:node-gpu \* +missing .*diptych setup tfjs-node-gpu/m);
      expect(stdout).toContain(
        'The default backend, { type: "tfjs", engine: "node-gpu" }, does not work',
      );
    });
  }, 60_000);
});

describe("diptych compare-backends", () => {
  it("writes a page, the result and its steps; ends with 1 where one cannot run", async () => {
    await inFolder(async (folder) => {
      const config = await writeConfig(folder);
      const out = join(folder, "out");
      const args = ["compare-backends", config, "--out", out, "--steps", "4"];
      const backends = "onnx,tfjs:cpu,tfjs:node-gpu";
      const { code, stdout, stderr } = await runDiptych([...args, "--backends", backends], {
        DIPTYCH_NATIVE: join(folder, "none"),
      });
      expect(code, stderr).toBe(1);
      expect(stdout).toMatch(/^onnx +[\d.]+ ms .* 1\.00× +reference/m);
      expect(stdout).toMatch(/^tfjs:cpu +[\d.]+ ms .*×/m);
      expect(stdout).toMatch(/^tfjs:node-gpu +failed: missing: .*diptych setup tfjs-node-gpu/m);
      const page = await readFile(join(out, "report.html"), "utf8");
      expect(page).toContain("<svg");
      expect(page).not.toMatch(/(?:src|href)="http/);
      expect(page).toContain("1 of 3 failed");
      const rows = (await readFile(join(out, "steps.csv"), "utf8")).trim().split("\n");
      expect(rows[0]).toBe("backend,step,loss,stepMs,waitMs");
      expect(rows).toHaveLength(1 + 2 * 4);
      const result = JSON.parse(await readFile(join(out, "result.json"), "utf8")) as {
        agrees: boolean;
        backends: { difference: { largest: number } | null }[];
      };
      expect(result.agrees).toBe(false);
      expect(result.backends[1]?.difference?.largest).toBeLessThan(1e-3);
    });
  }, 60_000);

  it.skipIf(process.platform !== "linux")(
    "ends its processes with Ctrl-C",
    async () => {
      await inFolder(async (folder) => {
        const config = await writeConfig(folder);
        const out = join(folder, "out");
        const args = ["compare-backends", config, "-o", out, "-n", "100000", "-b", "onnx"];
        const child = spawn(process.execPath, [BIN, ...args], { cwd: folder });
        let stderr = "";
        child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        while (!stderr.includes("onnx (1 of 1)") && child.exitCode === null)
          await new Promise((resolve) => setTimeout(resolve, 20));
        const workers = await childrenOf(child.pid ?? 0);
        expect(workers, stderr).toHaveLength(1);
        const ended = new Promise((resolve) => child.on("exit", resolve));
        child.kill("SIGINT");
        expect(await ended).toBe(130);
        expect(workers.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
        expect(existsSync(out)).toBe(false);
      });
    },
    60_000,
  );
});

/** Processes whose parent is `parent`. */
async function childrenOf(parent: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const status = await readFile(`/proc/${name}/status`, "utf8").catch(() => "");
    if (new RegExp(`^PPid:\\s*${parent}$`, "m").test(status)) found.push(Number(name));
  }
  return found;
}
