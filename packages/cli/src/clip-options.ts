/** Options of commands that load a model, and loading it. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { loadClip, type Clip, type Precision } from "diptych";
import { repeatable } from "./commands/repeatable.js";

export interface ModelFlags {
  readonly model: string;
  readonly threads?: number;
  readonly allowMissing: readonly string[];
}

export interface ClipFlags extends ModelFlags {
  readonly precision: Precision;
  readonly batchSize?: number;
}

/** Adds `--model` (required), how it is read and on how many threads it runs. */
export function addModelOptions(command: Command): Command {
  return command
    .requiredOption("-m, --model <model>", "folder, file or name of a model")
    .option(
      "--allow-missing <pattern>",
      "parameters that the model's file may lack, with * for any text; may be repeated",
      repeatable,
      [],
    )
    .option("--threads <n>", "threads (default: the physical cores)", positiveInteger);
}

/** The same with `--precision`. */
export function addClipOptions(command: Command): Command {
  return addModelOptions(command).addOption(
    new Option(
      "-p, --precision <bits>",
      "bits of the weights: int8 is about three times as fast, less exact",
    )
      .choices(["fp32", "fp16", "int8"])
      .default("fp32"),
  );
}

/** Options of the calls that open a model. */
export function openingOptions({ threads, allowMissing }: ModelFlags): {
  readonly threads?: number;
  readonly allowMissing: readonly string[];
} {
  return { allowMissing, ...(threads === undefined ? {} : { threads }) };
}

export function openClip(flags: ClipFlags): Promise<Clip> {
  const { model, precision, batchSize } = flags;
  return loadClip(model, {
    ...openingOptions(flags),
    precision,
    ...(batchSize === undefined ? {} : { batchSize }),
  });
}

/** Parses an option's value. @throws InvalidArgumentError, which commander shows, on anything but 1, 2, 3 … */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("Give an integer of at least 1.");
}
