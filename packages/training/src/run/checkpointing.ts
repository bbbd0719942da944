/** Checkpoints of a run: one folder per state, written beside and renamed, the last few kept, the newest whole one found again. */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  isDiptychError,
  TrainingError,
  type WritableCheckpointFormat,
  type CheckpointReader,
} from "@diptych/core";
import type { TrainStep } from "../train-step/train-step.js";
import type { StateSaver } from "../trainer/fit.js";
import { readTrainingState, type TrainingState } from "../trainer/training-state.js";

export interface CheckpointerOptions {
  /** The run's folder; checkpoints go under `checkpoints/`. */
  readonly folder: string;
  readonly format: WritableCheckpointFormat;
  /** Steps between checkpoints; null: only the last. */
  readonly every: number | null;
  /** Checkpoints kept, the newest. Default 2. */
  readonly keepLast?: number;
  /** Told of checkpoints that are skipped because they are broken. */
  readonly report?: (line: string) => void;
}

/** A state found on disk. */
export interface FoundState {
  readonly path: string;
  readonly state: TrainingState;
}

export interface Checkpointer extends StateSaver {
  /** `<folder>/checkpoints`. */
  readonly folder: string;
  /** Steps of the checkpoints there, newest first, broken ones included. */
  steps(): Promise<readonly number[]>;
  /** The newest whole state that fits `step`; broken ones are reported and skipped. Undefined when there is none. */
  latest(step: TrainStep): Promise<FoundState | undefined>;
  /** The same, opened only: for who wants the configuration saved in it before there is a step. Close it. */
  openLatest(): Promise<CheckpointReader | undefined>;
}

const NAME = /^step-(\d{6,})$/;
const LEFTOVER = /^\.step-\d{6,}\.(new|old)$/;

/** `step-000500`. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(6, "0")}`;
}

/**
 * Saves states under `<folder>/checkpoints/step-000500/`. A crash, a kill or a full disk leaves the states before it.
 *
 * @throws TrainingError from `save` where it cannot be written, naming the last good state.
 */
export function createCheckpointer(options: CheckpointerOptions): Checkpointer {
  const { format, every, keepLast = 2, report = () => undefined } = options;
  const folder = join(options.folder, "checkpoints");
  const steps = () => savedSteps(folder);

  const openNewest = async <T>(
    use: (reader: CheckpointReader) => Promise<T>,
  ): Promise<{ path: string; value: T } | undefined> => {
    for (const step of await steps()) {
      const path = join(folder, checkpointName(step));
      try {
        return { path, value: await openChecked(format, path, use) };
      } catch (error) {
        if (!isDiptychError(error, "CHECKPOINT")) throw error;
        report(`${path} is skipped: ${error.message}`);
      }
    }
    return undefined;
  };

  return Object.freeze({
    folder,
    every,
    steps,
    save: async (state: TrainingState) => {
      const path = join(folder, checkpointName(state.metadata.step));
      try {
        await removeLeftovers(folder);
        await writeBeside(format, path, state);
      } catch (cause) {
        throw saveError(path, cause, await steps());
      }
      await prune(folder, state.metadata.step, keepLast);
      return path;
    },
    latest: async (step: TrainStep) => {
      const found = await openNewest(async (reader) => {
        try {
          return await readTrainingState(reader, step);
        } finally {
          await reader.close();
        }
      });
      return found && Object.freeze({ path: found.path, state: found.value });
    },
    openLatest: async () => (await openNewest(async (reader) => reader))?.value,
  });
}

async function openChecked<T>(
  format: WritableCheckpointFormat,
  path: string,
  use: (reader: CheckpointReader) => Promise<T>,
): Promise<T> {
  return use(await format.open(path));
}

async function savedSteps(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  return names
    .flatMap((name) => {
      const digits = NAME.exec(name)?.[1];
      return digits === undefined ? [] : [Number(digits)];
    })
    .sort((a, b) => b - a);
}

/** Written under another name and renamed, whatever the format itself does: a name `step-…` is a whole checkpoint. */
async function writeBeside(
  format: WritableCheckpointFormat,
  path: string,
  { tensors, metadata }: TrainingState,
): Promise<void> {
  const folder = join(path, "..");
  const name = path.slice(folder.length + 1);
  const beside = join(folder, `.${name}.new`);
  const before = join(folder, `.${name}.old`);
  await mkdir(folder, { recursive: true });
  try {
    await format.write(beside, { tensors, metadata });
    // A folder cannot be renamed over one that has content.
    await rename(path, before).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
    await rename(beside, path);
    await rm(before, { recursive: true, force: true });
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw error;
  }
}

/** What a killed process left behind; an `.old` whose successor never came is put back. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names.filter((each) => LEFTOVER.test(each))) {
    const final = name.slice(1, -".new".length);
    if (name.endsWith(".old") && !names.includes(final)) {
      await rename(join(folder, name), join(folder, final));
    } else {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

/** Keeps the newest up to `current`; later ones are of a run that this one has not come to yet. */
async function prune(folder: string, current: number, keepLast: number): Promise<void> {
  const steps = (await savedSteps(folder)).filter((step) => step <= current);
  for (const step of steps.slice(Math.max(1, keepLast))) {
    await rm(join(folder, checkpointName(step)), { recursive: true, force: true });
  }
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  // Diptych's own errors carry the system's as their cause.
  return errorCode(error.cause) ?? (isDiptychError(error) ? undefined : code);
}

function saveError(path: string, cause: unknown, saved: readonly number[]): TrainingError {
  const [last] = saved;
  const kept =
    last === undefined
      ? "No earlier state was saved."
      : `The last good state is that of step ${last}, ${join(path, "..", checkpointName(last))}.`;
  const code = errorCode(cause);
  const what =
    code === "ENOSPC"
      ? "a full disk (ENOSPC)"
      : (code ?? (cause instanceof Error ? cause.message : String(cause)));
  const hint =
    code === "ENOSPC"
      ? "Free some space or lower training.keepLast, then resume."
      : "Mend that, then resume.";
  return new TrainingError(
    `training/saveCheckpoint: ${path}: expected to write the state, got ${what}. ${kept} ${hint}`,
    { cause },
  );
}
