/** Runs of the paper's configurations: child processes, as a user starts them. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const BIN = fileURLToPath(new URL("../bin/diptych.js", import.meta.url));
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command with the project's folder as its own. */
export async function runDiptych(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const run = promisify(execFile);
  try {
    const options = { cwd: ROOT, env: { ...process.env, ...environment } };
    const { stdout, stderr } = await run(process.execPath, [BIN, ...args], options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

/** Calls `work` with a folder that is deleted afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "diptych-paper-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds that a tiny run may take. */
export const TINY_LIMIT = 60_000;

/** Trains the tiny version; the outcome, and how long it took. */
export async function trainTiny(
  name: string,
): Promise<Outcome & { readonly milliseconds: number }> {
  return inFolder(async (folder) => {
    const begun = performance.now();
    const outcome = await runDiptych([
      "train",
      `configs/clip-${name}.ts`,
      "--tiny",
      "--out",
      join(folder, "run"),
    ]);
    return { ...outcome, milliseconds: performance.now() - begun };
  });
}

/** What one of the paper's configurations must say: arXiv:2103.00020, tables 18 to 20. */
export interface PaperRow {
  readonly name: string;
  readonly learningRate: number;
  readonly epochs: number;
  readonly family: "resnet" | "vit";
}

const row = (
  name: string,
  learningRate: number,
  family: "resnet" | "vit",
  epochs = 32,
): PaperRow => ({ name, learningRate, epochs, family });

export const PAPER_ROWS: readonly PaperRow[] = [
  row("rn50", 5e-4, "resnet"),
  row("rn101", 5e-4, "resnet"),
  row("rn50x4", 5e-4, "resnet"),
  row("rn50x16", 4e-4, "resnet"),
  row("rn50x64", 3.6e-4, "resnet"),
  row("vit-b-32", 5e-4, "vit"),
  row("vit-b-16", 5e-4, "vit"),
  row("vit-l-14", 4e-4, "vit"),
  // One more epoch after those of ViT-L/14 (section 2.5).
  row("vit-l-14-336", 2e-5, "vit", 1),
];
