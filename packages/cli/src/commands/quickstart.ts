/** `diptych quickstart`: trains on emoji, then shows what the model learned on a page. */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { ConfigError, formatDuration } from "@diptych/core";
import {
  cacheFolder,
  emojiSchema,
  loadEmojiSet,
  openConfigFile,
  train,
  writeJsonAtomically,
  type EmojiConfig,
  type OpenedConfig,
  type TrainSummary,
} from "diptych";
import { listenForInterrupt } from "../interrupt.js";
import { createProgress } from "../progress.js";
import { measureModel, writeReport } from "../report/build-report.js";
import type { QuickstartResult } from "../report/report-data.js";
import { repeatable } from "./repeatable.js";
import { trainWithProgress } from "./train.js";

interface QuickstartFlags {
  readonly config: string;
  readonly out: string;
  readonly tiny?: boolean;
  readonly fresh?: boolean;
  readonly yes?: boolean;
  readonly set: readonly string[];
}

/** The configuration whose result is `quickstart/result.json`. */
const MAIN_CONFIG = "configs/emoji-quickstart.ts";

export function addQuickstartCommand(program: Command): void {
  program
    .command("quickstart")
    .description("train on emoji and write a page that shows what was learned")
    .option("-c, --config <file>", "configuration that trains on the emoji set", MAIN_CONFIG)
    .option("-o, --out <dir>", "folder for report.html, result.json and the runs", "quickstart")
    .option("--tiny", "a run of seconds, to try it out")
    .option("--fresh", "train again from nothing, in place of what is there")
    .option("-y, --yes", "go on with a finished model without being asked")
    .option("-s, --set <path=value>", "replace one value; may be repeated", repeatable, [])
    .addHelpText(
      "after",
      `
Examples:
  $ npm run quickstart
  $ npm run quickstart -- --config configs/emoji-clip.ts     the paper's kinds of towers; the page then shows both
  $ npm run quickstart -- --tiny --out try

Ctrl-C saves; the same command goes on.`,
    )
    .action(runQuickstart);
}

async function runQuickstart(flags: QuickstartFlags): Promise<void> {
  const opened = await openConfigFile(flags.config, { tiny: flags.tiny ?? false, set: flags.set });
  const emoji = emojiConfigOf(opened);
  const out = resolve(flags.out);
  const folder = join(out, opened.config.name);
  const plan = await decide(folder, flags);
  if (plan === "keep") {
    process.stdout.write(`${await describeExisting(folder)}\n`);
    return;
  }
  if (plan === "fresh") await rm(folder, { recursive: true, force: true });
  const interrupt = listenForInterrupt(
    "Stopping: saving a checkpoint (Ctrl-C again to quit at once) …",
  );
  try {
    const renderSeconds = await render(opened, emoji, interrupt.signal);
    const summary = await trainWithProgress((on) =>
      train({ opened, out: folder, resume: plan === "resume", signal: interrupt.signal, on }),
    );
    if (!summary.finished) {
      process.stdout.write(
        `Stopped at step ${summary.step} of ${summary.totalSteps}; the state is saved. The same command goes on.\n`,
      );
      process.exitCode = 130;
      return;
    }
    await report(out, folder, { summary, opened, emoji, renderSeconds, signal: interrupt.signal });
  } finally {
    interrupt.dispose();
  }
}

/** The emoji part of a configuration. @throws ConfigError where it trains on something else. */
function emojiConfigOf({ config, source }: OpenedConfig): EmojiConfig {
  const { declaration, config: settings } = config.data.train;
  if (declaration.type === "emoji") return emojiSchema.parse(settings);
  throw new ConfigError(
    `cli/quickstart: ${source}: data.train: expected the emoji set, got "${declaration.type}". Use \`diptych train\` for other data.`,
  );
}

type Plan = "new" | "resume" | "fresh" | "keep";

/** What to do with what is in the folder. */
async function decide(folder: string, flags: QuickstartFlags): Promise<Plan> {
  if (flags.fresh) return "fresh";
  if (existsSync(join(folder, "model"))) {
    if (flags.yes) return "resume";
    return (await askToGoOn(folder)) ? "resume" : "keep";
  }
  return existsSync(join(folder, "checkpoints")) ? "resume" : "new";
}

async function askToGoOn(folder: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  process.stdout.write(`A trained model is in ${folder}.\n`);
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await prompt.question("Train it further, for as long again? [y/N] ");
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}

async function describeExisting(folder: string): Promise<string> {
  const lines = [`A trained model exists in ${folder}.`];
  const path = join(folder, "result.json");
  if (existsSync(path)) {
    const { heldOutStyle } = JSON.parse(await readFile(path, "utf8")) as QuickstartResult;
    lines.push(`On the held-out style its first guess is right for ${percent(heldOutStyle.top1)}.`);
  }
  lines.push(
    "To train it further:        npm run quickstart -- --yes",
    "To train from nothing:      npm run quickstart -- --fresh",
  );
  return lines.join("\n");
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

async function render(
  opened: OpenedConfig,
  emoji: EmojiConfig,
  signal: AbortSignal,
): Promise<number> {
  const progress = createProgress("rendering emoji");
  try {
    const { renderSeconds } = await loadEmojiSet({
      baseDir: opened.baseDir,
      cacheDir: cacheFolder(),
      imageSize: emoji.imageSize,
      ...(emoji.limit === undefined ? {} : { limit: emoji.limit }),
      signal,
      report: (_what: string, done: number, total: number) => progress.update(done, total),
    });
    return renderSeconds;
  } finally {
    progress.stop();
  }
}

interface ReportContext {
  readonly summary: TrainSummary;
  readonly opened: OpenedConfig;
  readonly emoji: EmojiConfig;
  readonly renderSeconds: number;
  readonly signal: AbortSignal;
}

async function report(out: string, folder: string, context: ReportContext): Promise<void> {
  process.stderr.write("Measuring on the held-out style and concepts …\n");
  const measured = await measureModel(folder, context);
  await writeJsonAtomically(join(folder, "result.json"), measured.result);
  await writeJsonAtomically(join(folder, "report.json"), measured);
  const page = await writeReport(out, folder);
  const { heldOutStyle, heldOutConcepts, seconds, images } = measured.result;
  process.stdout.write(
    [
      `Trained on ${images.toLocaleString("en")} pictures in ${formatDuration(seconds)}.`,
      `New style, ${heldOutStyle.candidates} names: first guess right ${percent(heldOutStyle.top1)}, within five ${percent(heldOutStyle.top5)} (nearest pixels ${percent(heldOutStyle.pixelTop1)}, chance ${percent(heldOutStyle.chance)}).`,
      `New concepts, their ${heldOutConcepts.queries} names: ${percent(heldOutConcepts.among224.top1)}, within five ${percent(heldOutConcepts.among224.top5)}; all names: ${percent(heldOutConcepts.amongAll.top1)}, ${percent(heldOutConcepts.amongAll.top5)}.`,
      `Look at it:   ${page}`,
      `Use it:       import { loadClip } from "diptych"; const clip = await loadClip("${join(folder, "model")}");`,
      "",
    ].join("\n"),
  );
}
