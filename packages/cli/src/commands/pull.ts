/** `diptych pull`: a model by name into the cache, with progress, resumable. */
import type { Command } from "commander";
import { formatBytes } from "@diptych/core";
import { pullModel, type PullProgress } from "diptych";
import { listenForInterrupt } from "../interrupt.js";
import { createProgress, type Progress } from "../progress.js";

interface PullFlags {
  readonly cache?: string;
  readonly refresh?: boolean;
  readonly json?: boolean;
}

export function addPullCommand(program: Command): void {
  program
    .command("pull")
    .description("fetch a model by name, once; afterwards it is found without a network")
    .argument("<name>", "Hugging Face repository, one of OpenAI's models, or an https address")
    .option("--cache <dir>", "folder of pulled models (default: hub in the user's cache folder)")
    .option("--refresh", "ask what the name stands for now, and check the bytes that are here")
    .option("--json", "print path and files as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych pull openai/clip-vit-base-patch32
  $ diptych pull laion/CLIP-ViT-B-32-laion2B-s34B-b79K@main
  $ diptych pull ViT-B/32
  $ diptych pull https://example.org/model.safetensors#sha256=…

Ctrl-C keeps what has come; the same command goes on from there.

Environment:
  HF_ENDPOINT              a mirror of Hugging Face
  HF_TOKEN                 access to private and gated repositories
  DIPTYCH_OPENAI_ENDPOINT  a mirror of OpenAI's models
  DIPTYCH_CACHE            folder that holds "hub", instead of the user's cache folder
  DIPTYCH_OFFLINE=1        never ask the network`,
    )
    .action(runPull);
}

async function runPull(name: string, flags: PullFlags): Promise<void> {
  const interrupt = listenForInterrupt("Stopping: what has come is kept …");
  const progress = createProgress("pulling", process.stderr, { format: formatBytes });
  try {
    const model = await pullModel(name, {
      ...(flags.cache === undefined ? {} : { cacheDir: flags.cache }),
      refresh: flags.refresh ?? false,
      signal: interrupt.signal,
      onProgress: createMeter(progress),
      log: (line) => progress.log(line),
    });
    progress.stop();
    process.stdout.write(`${flags.json ? JSON.stringify(model, null, 2) : model.path}\n`);
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}

/** Shows bytes, the rate of this run, and the time left. */
function createMeter(progress: Progress): (now: PullProgress) => void {
  const begun = performance.now();
  const first = new Map<string, number>();
  const latest = new Map<string, number>();
  return ({ bytes, total, file, fileBytes }) => {
    // What was there before is no measure of the rate.
    if (!first.has(file)) first.set(file, fileBytes);
    latest.set(file, fileBytes);
    const came = sum(latest.values()) - sum(first.values());
    const rate = came / Math.max((performance.now() - begun) / 1000, 1e-3);
    const secondsLeft = total !== undefined && rate > 0 ? (total - bytes) / rate : undefined;
    progress.update(bytes, total ?? bytes, {
      text: `${file} · ${formatBytes(rate)}/s`,
      ...(secondsLeft === undefined ? {} : { secondsLeft }),
    });
  };
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const n of numbers) total += n;
  return total;
}
