/** Options of commands that load a model, and loading it. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { loadClip, type Clip, type Precision } from "diptych";

export interface ClipFlags {
  readonly model: string;
  readonly precision: Precision;
  readonly threads?: number;
  readonly batchSize?: number;
}

/** Adds `--model` (required) and how it is run. */
export function addClipOptions(command: Command): Command {
  return command
    .requiredOption("-m, --model <model>", "folder, file or name of a model")
    .addOption(
      new Option("-p, --precision <bits>", "bits of the weights; fewer are faster, less exact")
        .choices(["fp32", "fp16", "int8"])
        .default("fp32"),
    )
    .option("--threads <n>", "threads (default: the physical cores)", positiveInteger);
}

export function openClip({ model, precision, threads, batchSize }: ClipFlags): Promise<Clip> {
  return loadClip(model, {
    precision,
    ...(threads === undefined ? {} : { threads }),
    ...(batchSize === undefined ? {} : { batchSize }),
  });
}

/** Parses an option's value. @throws InvalidArgumentError, which commander shows, on anything but 1, 2, 3 … */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("Give an integer of at least 1.");
}
