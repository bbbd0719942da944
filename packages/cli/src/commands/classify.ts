/** `diptych classify`: which labels fit a picture, with bars. */
import type { Command } from "commander";
import { ConfigError } from "@diptych/core";
import { listLines, type Classification } from "diptych";
import { addClipOptions, openClip, positiveInteger, type ClipFlags } from "../clip-options.js";
import { listenForInterrupt } from "../interrupt.js";
import { repeatable } from "./repeatable.js";

interface ClassifyFlags extends ClipFlags {
  readonly labels?: string;
  readonly labelsFile?: string;
  readonly template: readonly string[];
  readonly top: number;
  readonly json?: boolean;
}

export function addClassifyCommand(program: Command): void {
  addClipOptions(
    program
      .command("classify")
      .description("find the labels that fit pictures")
      .argument("<images...>", "pictures"),
  )
    .option("-l, --labels <a,b,c>", "labels, separated by commas")
    .option("--labels-file <file>", "labels, one a line; - for the standard input")
    .option(
      "--template <text>",
      'prompt with {} for the label; may be repeated, the mean counts (default: "a photo of a {}.")',
      repeatable,
      [],
    )
    .option("--top <n>", "labels shown", positiveInteger, 5)
    .option("--json", "print JSON: of each picture its labels with probabilities")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych classify cat.jpg -m openai/clip-vit-base-patch32 --labels "cat,dog,traffic light"
  $ diptych classify *.jpg -m runs/a/model --labels-file classes.txt --top 3 --json
  $ diptych classify scan.png -m runs/a/model -l "cat,dog" --template "a drawing of a {}." --template "a {}."

Probabilities are a softmax over the given labels at the model's own scale: they say which of
these fits best, not whether any does.`,
    )
    .action(runClassify);
}

interface PictureLabels {
  readonly image: string;
  readonly labels: readonly Classification[];
}

async function runClassify(images: readonly string[], flags: ClassifyFlags): Promise<void> {
  const labels = await readLabels(flags);
  const { template, top, json = false } = flags;
  for (const text of template) checkTemplate(text);
  const interrupt = listenForInterrupt("Stopping …");
  try {
    const clip = await openClip(flags);
    try {
      const found: PictureLabels[] = [];
      for (const image of images) {
        const ranked = await clip.classify(image, labels, {
          ...(template.length > 0 ? { templates: template } : {}),
          signal: interrupt.signal,
        });
        const shown = { image, labels: ranked.slice(0, top) };
        found.push(shown);
        if (!json) process.stdout.write(`${found.length > 1 ? "\n" : ""}${barTable(shown)}\n`);
      }
      if (json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    } finally {
      await clip.dispose();
    }
  } finally {
    interrupt.dispose();
  }
}

async function readLabels({ labels, labelsFile }: ClassifyFlags): Promise<readonly string[]> {
  if ((labels === undefined) === (labelsFile === undefined)) {
    throw new ConfigError(
      `cli/classify: labels: expected one of --labels and --labels-file, got ${labels === undefined ? "none" : "both"}. Give --labels "cat,dog".`,
    );
  }
  const found: string[] = [];
  if (labelsFile !== undefined) for await (const line of listLines(labelsFile)) found.push(line);
  else found.push(...(labels ?? "").split(","));
  const names = found.map((name) => name.trim()).filter((name) => name !== "");
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new ConfigError(
      `cli/classify: labels: expected each once, got "${twice}" twice. Leave one out.`,
    );
  }
  if (names.length > 0) return names;
  throw new ConfigError(
    `cli/classify: labels: expected at least one, got none. Give --labels "cat,dog".`,
  );
}

function checkTemplate(template: string): void {
  if (template.includes("{}")) return;
  throw new ConfigError(
    `cli/classify: --template: expected {} where the label goes, got "${template}". Write e.g. "a photo of a {}."`,
  );
}

/** Characters of a bar of probability 1. */
const BAR = 30;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** The picture, then a label a line with its probability and a bar in eighths of a character. */
function barTable({ image, labels }: PictureLabels): string {
  const width = Math.max(...labels.map(({ label }) => label.length));
  const lines = labels.map(({ label, probability }) => {
    const eighths = Math.round(probability * BAR * 8);
    const bar = "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
    const percent = `${(100 * probability).toFixed(1)} %`.padStart(7);
    return `  ${label.padEnd(width)}  ${percent}  ${bar}`.trimEnd();
  });
  return [image, ...lines].join("\n");
}
