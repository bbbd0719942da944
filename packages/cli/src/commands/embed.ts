/** `diptych embed`: pictures or texts to a file of embeddings, resumable. */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import type { Command } from "commander";
import { ConfigError } from "@diptych/core";
import {
  embedToFile,
  listLines,
  listPictures,
  npyFormat,
  safetensorsFormat,
  type EmbeddingFormat,
  type EmbedProgress,
  type EmbedSummary,
  type InputKind,
} from "diptych";
import { addClipOptions, openClip, positiveInteger, type ClipFlags } from "../clip-options.js";
import { listenForInterrupt } from "../interrupt.js";
import { parquetFormat } from "../parquet-format.js";
import { createProgress, type Progress } from "../progress.js";

interface EmbedFlags extends ClipFlags {
  readonly out: string;
  readonly list?: string;
  readonly texts?: string;
  readonly raw?: boolean;
  readonly skipBad?: boolean;
  readonly force?: boolean;
}

const FORMATS: Readonly<Record<string, EmbeddingFormat>> = {
  ".npy": npyFormat,
  ".safetensors": safetensorsFormat,
  ".parquet": parquetFormat,
};

export function addEmbedCommand(program: Command): void {
  addClipOptions(
    program
      .command("embed")
      .description("embed pictures or texts into a file")
      .argument("[images...]", "pictures, or folders with pictures in them and below"),
  )
    .requiredOption("-o, --out <file>", "where to: .npy, .safetensors or .parquet")
    .option("--list <file>", "paths of pictures, one a line; - for the standard input")
    .option("-t, --texts <file>", "texts instead of pictures, one a line; - for the standard input")
    .option("--raw", "the model's features as they are; else scaled to length 1")
    .option("--batch-size <n>", "inputs run, and then kept, at once (default: 32)", positiveInteger)
    .option("--skip-bad", "leave out what cannot be read, and list it at the end")
    .option("--force", "replace the file if it is there")
    .addHelpText(
      "after",
      `
Examples:
  $ diptych embed photos/ -m openai/clip-vit-base-patch32 -o photos.npy
  $ diptych embed --list paths.txt -m runs/a/model -o pictures.parquet --precision int8 --skip-bad
  $ diptych embed --texts captions.txt -m runs/a/model -o captions.safetensors
  $ cut -f 2 table.tsv | diptych embed --texts - -m runs/a/model -o texts.npy

Row i belongs to input i: pictures as given, those of folders sorted; every line of a file of
texts, empty ones too. Rows have length 1 (--raw leaves them as they are), so that a product of
rows is a cosine.
  .npy, .safetensors   float32 [inputs, width] (tensor "embeddings"); inputs in FILE.inputs.txt
  .parquet             columns path (or text) and embedding

What is done is kept in FILE.partial: after Ctrl-C, a kill or a crash the same command goes on.`,
    )
    .action(runEmbed);
}

async function runEmbed(images: readonly string[], flags: EmbedFlags): Promise<void> {
  const { out } = flags;
  const format = formatOf(out);
  const { kind, inputs } = chooseInputs(images, flags);
  const interrupt = listenForInterrupt("Stopping: what is done is kept …");
  const progress = createProgress("embedding");
  const show = createMeter(progress, kind);
  try {
    const clip = await openClip(flags);
    try {
      const summary = await embedToFile({
        clip,
        kind,
        inputs,
        out,
        format,
        normalize: !(flags.raw ?? false),
        skipBad: flags.skipBad ?? false,
        overwrite: flags.force ?? false,
        ...(flags.batchSize === undefined ? {} : { batchSize: flags.batchSize }),
        settings: { precision: flags.precision },
        signal: interrupt.signal,
        onProgress: show,
      });
      progress.stop();
      printSummary(summary, kind);
    } finally {
      await clip.dispose();
    }
  } finally {
    progress.stop();
    interrupt.dispose();
    if (interrupt.signal.aborted && existsSync(`${out}.partial`)) {
      process.stderr.write(
        `Repeat the same command to go on; ${out}.partial holds what is done.\n`,
      );
    }
  }
}

function formatOf(out: string): EmbeddingFormat {
  const format = FORMATS[extname(out).toLowerCase()];
  if (format) return format;
  throw new ConfigError(
    `cli/embed: --out: expected a file that ends in ${Object.keys(FORMATS).join(", ")}, got ${out}. The ending says how it is written.`,
  );
}

function chooseInputs(
  images: readonly string[],
  { list, texts }: EmbedFlags,
): { readonly kind: InputKind; readonly inputs: AsyncIterable<string> } {
  const given = [
    ...(images.length > 0 ? ["pictures"] : []),
    ...(list === undefined ? [] : ["--list"]),
    ...(texts === undefined ? [] : ["--texts"]),
  ];
  if (given.length !== 1) {
    throw new ConfigError(
      `cli/embed: inputs: expected one of pictures, --list and --texts, got ${given.join(" and ") || "none"}. See diptych embed --help.`,
    );
  }
  if (texts !== undefined) return { kind: "text", inputs: listLines(texts) };
  if (list !== undefined) return { kind: "image", inputs: pathsOf(list) };
  return { kind: "image", inputs: listPictures(images) };
}

/** Lines of a list of paths, empty ones left out. */
async function* pathsOf(list: string): AsyncGenerator<string, void, undefined> {
  for await (const line of listLines(list)) if (line.trim() !== "") yield line;
}

/** Shows rate and time left, from what this run has done. */
function createMeter(progress: Progress, kind: InputKind): (at: EmbedProgress) => void {
  let started: number | undefined;
  return ({ done, total, resumedFrom }) => {
    if (started === undefined) {
      started = performance.now();
      if (resumedFrom > 0) progress.log(`Going on from ${resumedFrom} of ${total}.`);
      return;
    }
    const rate = (done - resumedFrom) / ((performance.now() - started) / 1000);
    progress.update(done, total, {
      text: `${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en")} ${kind}s/s`,
      secondsLeft: (total - done) / rate,
    });
  };
}

function printSummary({ rows, width, skipped, files }: EmbedSummary, kind: InputKind): void {
  const count = rows.toLocaleString("en");
  process.stdout.write(
    `Embedded ${count} ${kind}${rows === 1 ? "" : "s"}, ${width} numbers each: ${files.join(", ")}\n`,
  );
  if (skipped.length === 0) return;
  process.stderr.write(
    `Left out ${skipped.length}:\n${skipped.map(({ input, problem }) => `  ${input}\n    ${problem}`).join("\n")}\n`,
  );
}
